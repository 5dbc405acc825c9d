//! Commands on their way to a group that another node leads, or nobody for a while.

use std::time::Duration;

use mangrove_domain::{AgentWish, Author, Command, Reply};
use mangrove_proto::service::{Console, Error};

use super::{
    company::company,
    house::{ACME, until},
    town::{Mood, Seat, Town},
};
use crate::{
    Desk,
    forward::Forward,
    proposer::{Proposer, Way},
};

fn wish(tenant: &str) -> Command {
    Command::CommandAgent {
        tenant: tenant.into(),
        employee: "anna".into(),
        wish: AgentWish::Available,
        author: Author::default(),
    }
}

/// Into group 1's log from a node without a replica.
fn from_afar(seat: &Seat) -> Proposer {
    Proposer::start(Way { group: 1, replica: None, forward: Forward::new(seat.cluster.clone()) })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_once_waits_for_a_leader_and_takes_a_verdict_at_once() {
    let town = Town::open().await;
    let proposer = from_afar(town.web());
    let (first, second) = town.order(1);
    let both = |mood: &Mood| [first, second].iter().for_each(|seat| seat.proposers.set(mood.clone()));
    both(&Mood::Fails(Error::NoLeader { group: 1 }));
    assert_eq!(proposer.propose(wish("nobody")).await, Err(Error::NoLeader { group: 1 }), "told at once");
    let before = first.proposers.asked();
    let asking = tokio::spawn({
        let proposer = proposer.clone();
        async move { proposer.ask(wish("nobody")).await }
    });
    until("it has been tried again", || first.proposers.asked() > before + 2).await;
    assert!(!asking.is_finished());
    both(&Mood::Well);
    assert!(matches!(asking.await.unwrap(), Ok(Reply::NotFound { .. })), "there is no such tenant");

    let refused = Error::Refused { why: "no".into() };
    both(&Mood::Fails(refused.clone()));
    let before = first.proposers.asked();
    assert_eq!(proposer.ask(wish("nobody")).await, Err(refused));
    assert_eq!(first.proposers.asked(), before + 1);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_never_led_is_told_so() {
    let town = Town::open().await;
    let proposer = from_afar(town.web());
    let (first, second) = town.order(1);
    for seat in [first, second] {
        seat.proposers.set(Mood::Fails(Error::NoLeader { group: 1 }));
    }
    let began = tokio::time::Instant::now();
    assert_eq!(proposer.ask(wish("nobody")).await, Err(Error::NoLeader { group: 1 }));
    assert!(began.elapsed() >= Duration::from_secs(3), "two elections could have passed");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_follower_is_given_the_leader_commits_and_the_follower_then_shows() {
    let town = Town::open().await;
    town.configure(&Desk::new(town.web().cluster.clone(), None), &company("acme", ACME)).await;
    let (first, second) = town.order(1);
    let group = second.group(1).unwrap();
    let before = (first.proposers.asked(), second.proposers.asked());
    assert_eq!(group.proposer.propose(wish("acme")).await, Ok(Reply::Done));
    let live = second.control.as_ref().unwrap().live("acme").await.unwrap();
    let agents = serde_json::to_string(&live.agents).unwrap();
    assert!(agents.contains("available"), "whoever reads here now reads it: {agents}");
    assert_eq!((first.proposers.asked(), second.proposers.asked()), (before.0 + 1, before.1));
    town.close().await;
}

/// The leader took the command and never answered; the follower leads before it would have given up waiting for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_has_stopped_does_not_keep_commands_from_the_next() {
    let town = Town::open().await;
    let (first, second) = town.order(1);
    first.proposers.set(Mood::Hangs);
    let group = second.group(1).unwrap();
    let asking = tokio::spawn({
        let proposer = group.proposer.clone();
        async move { proposer.ask(wish("nobody")).await }
    });
    until("the leader is asked", || first.proposers.asked() > 0).await;
    first.cluster.drain_node(first.cluster.name(), true).await.unwrap();
    // A node that does not answer for two seconds is an error, which `ask` hands on.
    assert!(matches!(asking.await.unwrap(), Ok(Reply::NotFound { .. })));
    assert!(group.is_led());
    town.close().await;
}
