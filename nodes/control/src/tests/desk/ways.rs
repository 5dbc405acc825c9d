//! What a console can do from a node without control: each way leads to one that can, and what fails on it is told.

use futures::{StreamExt, TryStreamExt};
use mangrove_proto::{
    control::{AgentCommand, Author, CallCommand, DeleteRequest, EventsRequest, MoveRequest},
    service::{Console, Error},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{super::house::until, *};
use crate::backup::{Archive, parse};

const PATIENCE: Duration = Duration::from_secs(20);
const EMAIL: &str = "anna@acme.example";
const NEW_HASH: &str = "another-hash";

fn tenant() -> String {
    "acme".to_owned()
}

fn wish(state: &str) -> AgentCommand {
    let (tenant, employee, state) = (tenant(), "anna".into(), state.into());
    AgentCommand { tenant, employee, state, ..AgentCommand::default() }
}

async fn read_backup(desk: &Desk) -> Result<Archive, Error> {
    let parts: Vec<_> = desk.backup().await?.try_collect().await?;
    Ok(parse(&parts.concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_comes_whole_from_a_node_that_can_write_one_or_not_at_all() {
    let town = Town::open(&PAIR).await;
    let desk = desk(&town);
    let (first, second) = (&town.seats[0], &town.seats[1]);
    for (one, other) in [(Mood::Well, Mood::Well), (Mood::Fails(away()), Mood::Well)] {
        let before = second.consoles.asked();
        let is_second = usize::from(matches!(one, Mood::Fails(_)));
        first.consoles.set(one);
        second.consoles.set(other);
        let archive = read_backup(&desk).await.unwrap();
        assert_eq!((archive.header.shard_groups, archive.groups.len()), (2, 2));
        assert_eq!(second.consoles.asked() - before, is_second);
    }
    // Whoever writes it needs the state of each group from the one that leads it.
    let (leader, writer) = town.order(1);
    leader.consoles.set(Mood::Fails(away()));
    writer.consoles.set(Mood::Well);
    leader.proposers.set(Mood::Fails(away()));
    let failed = read_backup(&desk).await.map(|archive| archive.groups.len());
    assert_eq!(failed, Err(away()));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_and_get_new_passwords_or_the_asker_learns_why_not() {
    let town = Town::open(&PAIR).await;
    let desk = desk(&town);
    let mut document = company("acme", ACME);
    document["employees"][0]["login"] = json!({ "email": EMAIL, "initial_password": "anna-web-password" });
    town.configure(&desk, &document).await;
    until("her name is known", || town.last().cluster.directory().tenant_of("email", EMAIL).is_some()).await;
    desk.set_password(" Anna@acme.example", NEW_HASH.into(), Author::default()).await.unwrap();
    let changed = async {
        while desk.login(EMAIL).await.unwrap().is_none_or(|login| login.password_hash != NEW_HASH) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, changed).await.expect("the login has the new password");
    let nobody = desk.set_password("nobody@acme.example", "hash".into(), Author::default()).await;
    assert_eq!(nobody, Err(Error::NotFound { what: "such login".into() }));
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

/// The one that leads the group fails: the other one, which does not, sends on what it is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_seen_and_commanded_through_a_node_that_does_not_lead_it() {
    let town = Town::open(&PAIR).await;
    let desk = desk(&town);
    town.configure(&desk, &company("acme", ACME)).await;
    let (first, second) = town.order(1);
    first.consoles.set(Mood::Fails(away()));
    let before = (first.proposers.asked(), second.consoles.asked());
    assert_eq!(desk.live("acme").await.unwrap().agents.len(), 1);
    let mut events = desk.events(EventsRequest { tenant: tenant(), after: 0 }).await.unwrap();
    desk.command_agent(wish("available")).await.unwrap();
    let event = timeout(PATIENCE, events.next()).await.expect("in time").expect("an event");
    assert_eq!((event.tenant.as_str(), event.kind.as_str()), ("acme", "agent"));
    assert_eq!((first.proposers.asked(), second.consoles.asked()), (before.0 + 1, before.1 + 3));
    let numbered = |number, state| {
        let author = Author { asker: 7, number, ..Author::default() };
        AgentCommand { author: Some(author), ..wish(state) }
    };
    desk.command_agent(numbered(2, "available")).await.unwrap();
    desk.command_agent(numbered(2, "available")).await.unwrap();
    let late = desk.command_agent(numbered(1, "offline")).await;
    assert!(matches!(late, Err(Error::Conflict { .. })), "{late:?}");
    desk.command_agent(wish("available")).await.unwrap();
    assert!(matches!(desk.command_agent(wish("asleep")).await, Err(Error::Refused { .. })));
    let hang_up = CallCommand { tenant: tenant(), call: "none".into(), ..CallCommand::default() };
    assert!(desk.command_call(hang_up).await.is_err_and(|error| !error.is_retryable()));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_moved_and_deleted_from_a_node_without_control() {
    let town = Town::open(&PAIR).await;
    let desk = desk(&town);
    town.configure(&desk, &company("acme", ACME)).await;
    let to = |group| MoveRequest { author: None, tenant: tenant(), group };
    assert!(desk.move_tenant(to(1)).await.is_err_and(|error| error.to_string().contains("already")));
    desk.move_tenant(to(2)).await.unwrap();
    assert_eq!(town.last().cluster.directory().home("acme").map(|home| home.group), Some(2));
    let list: Value = serde_json::from_slice(&desk.tenants().await.unwrap().json).unwrap();
    assert_eq!((list.as_array().map(Vec::len), &list[0]["group"]), (Some(1), &json!(2)));
    assert_eq!(reads(&desk).await, Ok(()), "where it is now");

    let whole = DeleteRequest { tenant: tenant(), ..DeleteRequest::default() };
    desk.delete(whole.clone()).await.unwrap();
    until("it is forgotten", || town.last().cluster.directory().home("acme").is_none()).await;
    assert!(matches!(desk.delete(whole).await, Err(Error::NotFound { .. })));
    town.close().await;
}
