//! A console that asks other nodes: some answer for it, others fail, refuse, hang, or are dead.

mod apart;
mod ways;

use std::time::Duration;

use mangrove_proto::service::{Console, Error, Login};
use mangrove_sip::ticket::{Holder, LIFETIME_MS, Tickets};

use super::{
    company::company,
    house::ACME,
    moods::Mood,
    town::{PAIR, Seat, Town},
};
use crate::{Desk, clock};

fn away() -> Error {
    Error::Unavailable { what: "node x".into(), why: "it stops".into() }
}

/// Of a node with pages alone.
fn desk(town: &Town) -> Desk {
    Desk::new(town.last().cluster.clone(), None)
}

/// How often consoles have asked the two.
fn asked(one: &Seat, other: &Seat) -> (usize, usize) {
    (one.consoles.asked(), other.consoles.asked())
}

/// Whether acme's configuration was read.
async fn reads(desk: &Desk) -> Result<(), Error> {
    let read = desk.configuration("acme").await?;
    assert!(String::from_utf8_lossy(&read.json).contains(ACME));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_can_not_answer_another_does_and_a_verdict_is_final() {
    let town = Town::open(&PAIR).await;
    let desk = Desk::with_patience(town.last().cluster.clone(), None, Duration::from_secs(1));
    town.configure(&desk, &company("acme", ACME)).await;
    let (first, second) = town.order(1);
    let refused = || Error::Refused { why: "no".into() };
    let missing = || Error::NotFound { what: "tenant".into() };
    let changed = || Error::Conflict { what: "it".into() };
    let leaderless = || Error::NoLeader { group: 1 };
    for (one, other, answer, count) in [
        (Mood::Well, Mood::Well, Ok(()), (1, 0)),
        (Mood::Fails(away()), Mood::Well, Ok(()), (1, 1)),
        (Mood::Fails(leaderless()), Mood::Well, Ok(()), (1, 1)),
        (Mood::Hangs, Mood::Well, Ok(()), (1, 1)),
        (Mood::Fails(refused()), Mood::Well, Err(refused()), (1, 0)),
        (Mood::Fails(missing()), Mood::Well, Err(missing()), (1, 0)),
        (Mood::Fails(changed()), Mood::Well, Err(changed()), (1, 0)),
        (Mood::Fails(away()), Mood::Fails(leaderless()), Err(leaderless()), (1, 1)),
    ] {
        let said = format!("{one:?}, then {other:?}");
        let before = asked(first, second);
        first.consoles.set(one);
        second.consoles.set(other);
        assert_eq!(reads(&desk).await, answer, "{said}");
        let after = asked(first, second);
        assert_eq!((after.0 - before.0, after.1 - before.1), count, "{said}");
    }
    first.consoles.set(Mood::Fails(away()));
    second.consoles.set(Mood::Hangs);
    let error = reads(&desk).await.unwrap_err();
    let why = format!("node {} is not available: it did not answer within 1s", second.cluster.name());
    assert_eq!((error.to_string(), error.is_retryable()), (why, true));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_one_node_makes_any_other_knows() {
    let town = Town::open(&PAIR).await;
    let person = Login {
        email: "anna@acme.example".into(),
        tenant: "acme".into(),
        employee: "anna".into(),
        name: "Anna".into(),
        roles: Vec::new(),
        supervises: Vec::new(),
        password_hash: String::new(),
        epoch: 7,
        page_phone: None,
    };
    let ticket = desk(&town).ticket(&person).expect("the cluster is founded");
    assert_eq!(ticket.seconds, LIFETIME_MS / 1_000);
    let (other, _) = town.order(1);
    let nonce_key = other.cluster.directory().founding.as_ref().unwrap().nonce_key;
    let holder = Holder { tenant: "acme".into(), employee: "anna".into(), epoch: 7 };
    assert_eq!(Tickets::under(&nonce_key).unwrap().check(&ticket.text, clock::wall()), Ok(holder));
    assert!(!format!("{ticket:?}").contains(&ticket.text));
    town.close().await;
}

/// The directory may not know yet that it is dead.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_node_is_passed_over_and_when_all_are_nobody_leads() {
    let mut town = Town::open(&PAIR).await;
    let desk = desk(&town);
    town.configure(&desk, &company("acme", ACME)).await;
    let (first, second) = town.places(1);
    town.seats[first].close_port().await;
    assert_eq!(reads(&desk).await, Ok(()));
    town.seats[second].close_port().await;
    let error = reads(&desk).await.unwrap_err();
    assert!(error.is_retryable(), "it may be there again: {error}");
    town.close().await;
}
