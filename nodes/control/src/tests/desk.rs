//! A console on a node without control: other nodes answer for it, fail, refuse, or say nothing.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use mangrove_proto::{
    control::{AgentCommand, Author, CallCommand, DeleteRequest, EventsRequest, MoveRequest},
    service::{Console, Error},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    company::company,
    house::{ACME, until},
    town::{Mood, Town},
};
use crate::{Desk, backup::parse};

const PATIENCE: Duration = Duration::from_secs(20);
const EMAIL: &str = "anna@acme.example";

fn away() -> Error {
    Error::Unavailable { what: "node x".into(), why: "it stops".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_can_not_answer_another_does_and_a_verdict_is_final() {
    let town = Town::open().await;
    let desk = Desk::with_patience(town.web().cluster.clone(), None, Duration::from_secs(1));
    town.configure(&desk, &company("acme", ACME)).await;
    let (first, second) = town.order(1);
    let refused = || Error::Refused { why: "no".into() };
    let missing = || Error::NotFound { what: "tenant".into() };
    let leaderless = || Error::NoLeader { group: 1 };
    for (one, other, answer, asked) in [
        (Mood::Well, Mood::Well, Ok(()), (1, 0)),
        (Mood::Fails(away()), Mood::Well, Ok(()), (1, 1)),
        (Mood::Fails(leaderless()), Mood::Well, Ok(()), (1, 1)),
        (Mood::Hangs, Mood::Well, Ok(()), (1, 1)),
        (Mood::Fails(refused()), Mood::Well, Err(refused()), (1, 0)),
        (Mood::Fails(missing()), Mood::Well, Err(missing()), (1, 0)),
        (Mood::Fails(away()), Mood::Fails(leaderless()), Err(leaderless()), (1, 1)),
    ] {
        let said = format!("{one:?}, then {other:?}");
        let before = (first.consoles.asked(), second.consoles.asked());
        first.consoles.set(one);
        second.consoles.set(other);
        let read = desk.configuration("acme").await;
        let found = read.map(|json| assert!(String::from_utf8_lossy(&json.json).contains(ACME)));
        assert_eq!(found, answer, "{said}");
        let after = (first.consoles.asked() - before.0, second.consoles.asked() - before.1);
        assert_eq!(after, asked, "{said}");
    }
    first.consoles.set(Mood::Fails(away()));
    second.consoles.set(Mood::Hangs);
    let error = desk.configuration("acme").await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("did not answer within 1s"), "{error}");
    town.close().await;
}

async fn read_backup(desk: &Desk) -> Result<crate::backup::Archive, Error> {
    let parts: Vec<_> = desk.backup().await?.try_collect().await?;
    Ok(parse(&parts.concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_comes_from_a_node_that_can_write_one() {
    let town = Town::open().await;
    let desk = Desk::new(town.web().cluster.clone(), None);
    let (first, second) = town.order(0);
    for (one, other) in [(Mood::Well, Mood::Well), (Mood::Fails(away()), Mood::Well)] {
        first.consoles.set(one);
        second.consoles.set(other);
        let archive = read_backup(&desk).await.unwrap();
        assert_eq!((archive.header.shard_groups, archive.groups.len()), (2, 2));
    }
    // Whoever writes it needs the state of each group from the one that leads it.
    let (leader, writer) = town.order(1);
    leader.consoles.set(Mood::Fails(away()));
    writer.consoles.set(Mood::Well);
    leader.proposers.set(Mood::Fails(away()));
    let failed = read_backup(&desk).await.map(|archive| archive.groups.len());
    assert!(matches!(failed, Err(Error::Unavailable { .. })), "half a backup is none: {failed:?}");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_set_and_people_found_from_a_node_without_control() {
    let town = Town::open().await;
    let desk = Desk::new(town.web().cluster.clone(), None);
    let mut document = company("acme", ACME);
    document["employees"][0]["login"] = json!({ "email": EMAIL, "initial_password": "anna-web-password" });
    town.configure(&desk, &document).await;
    until("her name is known", || town.web().cluster.directory().tenant_of("email", EMAIL).is_some()).await;
    desk.set_password(" Anna@acme.example", "another-hash".into(), Author::default()).await.unwrap();
    let changed = async {
        while desk.login(EMAIL).await.unwrap().is_none_or(|login| login.password_hash != "another-hash") {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, changed).await.expect("the login has the new password");
    let nobody = desk.set_password("nobody@acme.example", "hash".into(), Author::default()).await;
    assert!(matches!(nobody, Err(Error::NotFound { .. })), "{nobody:?}");
    assert!(desk.login("nobody@acme.example").await.unwrap().is_none());
    let (first, second) = town.order(1);
    for seat in [first, second] {
        seat.consoles.set(Mood::Fails(away()));
    }
    let failed = desk.set_password(EMAIL, "lost".into(), Author::default()).await;
    assert_eq!(failed, Err(away()), "it does not seem to be done");
    assert_eq!(desk.login(EMAIL).await.err(), Some(away()), "nor does she seem to be unknown");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_seen_commanded_moved_and_deleted_from_a_node_without_control() {
    let town = Town::open().await;
    let desk = Desk::new(town.web().cluster.clone(), None);
    town.configure(&desk, &company("acme", ACME)).await;
    let tenant = || "acme".to_owned();
    assert_eq!(desk.live("acme").await.unwrap().agents.len(), 1);
    let mut events = desk.events(EventsRequest { tenant: tenant(), after: 0 }).await.unwrap();
    let wish = |state: &str| AgentCommand {
        tenant: tenant(),
        employee: "anna".into(),
        state: state.into(),
        ..AgentCommand::default()
    };
    desk.command_agent(wish("available")).await.unwrap();
    let event = timeout(PATIENCE, events.next()).await.expect("in time").expect("an event");
    assert_eq!((event.tenant.as_str(), event.kind.as_str()), ("acme", "agent"));
    assert!(matches!(desk.command_agent(wish("asleep")).await, Err(Error::Refused { .. })));
    let hang_up = CallCommand { tenant: tenant(), call: "none".into(), ..CallCommand::default() };
    assert!(desk.command_call(hang_up).await.is_err_and(|error| !error.is_retryable()));

    let to = |group| MoveRequest { author: None, tenant: tenant(), group };
    assert!(desk.move_tenant(to(1)).await.is_err_and(|error| error.to_string().contains("already")));
    desk.move_tenant(to(2)).await.unwrap();
    assert_eq!(town.web().cluster.directory().home("acme").map(|home| home.group), Some(2));
    let list: Value = serde_json::from_slice(&desk.tenants().await.unwrap().json).unwrap();
    assert_eq!((list.as_array().map(Vec::len), &list[0]["group"]), (Some(1), &json!(2)));

    let whole = DeleteRequest { tenant: tenant(), ..DeleteRequest::default() };
    desk.delete(whole.clone()).await.unwrap();
    until("it is forgotten", || town.web().cluster.directory().home("acme").is_none()).await;
    assert!(matches!(desk.delete(whole).await, Err(Error::NotFound { .. })));
    town.close().await;
}
