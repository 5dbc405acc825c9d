//! Commands on their way to a group that another node leads, or nobody for a while.

use std::time::Duration;

use mangrove_domain::{AgentWish, Author, Command, Reply};
use mangrove_proto::{
    control::{ProposeRequest, control_client::ControlClient},
    service::{Console, Error},
};
use tokio::{task::JoinHandle, time::Instant};

use super::{
    company::company,
    house::{ACME, House, until},
    moods::Mood,
    town::{PAIR, Seat, THREE, Town},
};
use crate::{
    Desk, entry,
    forward::Forward,
    proposer::{Proposer, Way},
};

const NO_LEADER: Error = Error::NoLeader { group: 1 };

fn wish(tenant: &str) -> Command {
    Command::CommandAgent {
        tenant: tenant.into(),
        employee: "anna".into(),
        wish: AgentWish::Available,
        author: Author::default(),
        ask: None,
    }
}

/// Somebody who asks once. Of a tenant that there is not, `apply` says so: then the command was committed.
fn ask(proposer: &Proposer) -> JoinHandle<Result<Reply, Error>> {
    let proposer = proposer.clone();
    tokio::spawn(async move { proposer.ask(wish("nobody")).await })
}

fn is_committed(answer: &Result<Reply, Error>) -> bool {
    matches!(answer, Ok(Reply::NotFound { .. }))
}

/// Into group 1's log from a node without a replica.
fn from_afar(seat: &Seat) -> Proposer {
    Proposer::start(Way { group: 1, replica: None, forward: Forward::new(seat.cluster.clone()) })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_before_the_group_is_led_waits_and_who_proposes_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    let group = house.group(1);
    let asking = ask(&group.proposer);
    assert_eq!(group.proposer.propose(wish("nobody")).await, Err(NO_LEADER));
    assert!(!asking.is_finished());
    house.control.lead().await.unwrap();
    let answer = asking.await.unwrap();
    assert!(is_committed(&answer), "{answer:?}");
    house.close().await;
}

#[tokio::test]
async fn who_is_never_led_is_told_so_when_two_elections_could_have_passed() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    let began = Instant::now();
    // From here on time passes when nothing else does.
    tokio::time::pause();
    assert_eq!(house.group(1).proposer.ask(wish("nobody")).await, Err(NO_LEADER));
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(3) && waited < Duration::from_secs(5), "{waited:?}");
    tokio::time::resume();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_is_taken_at_once_wherever_it_comes_from() {
    let town = Town::open(&PAIR).await;
    let proposer = from_afar(town.last());
    let (first, second) = town.order(1);
    let refused = Error::Refused { why: "no".into() };
    first.proposers.set(Mood::Fails(refused.clone()));
    assert_eq!(proposer.ask(wish("nobody")).await, Err(refused));
    assert_eq!((first.proposers.asked(), second.proposers.asked()), (1, 0));
    first.proposers.set(Mood::Fails(NO_LEADER));
    let asking = ask(&proposer);
    until("both have been asked again", || second.proposers.asked() > 2).await;
    first.proposers.set(Mood::Well);
    let answer = asking.await.unwrap();
    assert!(is_committed(&answer), "{answer:?}");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_follower_is_given_the_leader_commits_and_the_follower_then_shows() {
    let town = Town::open(&PAIR).await;
    town.configure(&Desk::new(town.last().cluster.clone(), None), &company("acme", ACME)).await;
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

/// The leader took the command and never answers. Its follower gives up when it leads itself, and not when it has waited in
/// vain for long enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_hangs_and_is_deposed_does_not_keep_commands_from_the_next() {
    let town = Town::open(&PAIR).await;
    let (first, second) = town.order(1);
    first.proposers.set(Mood::Hangs);
    let group = second.group(1).unwrap();
    let proposer = group.proposer.clone();
    let proposed = tokio::spawn(async move { proposer.propose(wish("nobody")).await });
    until("the leader is asked", || first.proposers.asked() > 0).await;
    first.cluster.drain_node(first.cluster.name(), true).await.unwrap();
    let answer = proposed.await.unwrap();
    assert!(is_committed(&answer) || answer == Err(NO_LEADER), "while it changes, nobody leads: {answer:?}");
    let answer = group.proposer.ask(wish("nobody")).await;
    assert!(is_committed(&answer) && group.is_led(), "{answer:?}");
    town.close().await;
}

/// It hands on what it is given after that, and whoever asks it meanwhile is told nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_was_deposed_sends_commands_on_to_the_next() {
    let town = Town::open(&PAIR).await;
    let (first, second) = town.order(1);
    let (old, new) = (first.group(1).unwrap(), second.group(1).unwrap());
    let asks = async {
        while second.proposers.asked() == 0 {
            let answer = old.proposer.ask(wish("nobody")).await;
            assert!(is_committed(&answer), "{answer:?}");
        }
    };
    let drain = first.cluster.drain_node(first.cluster.name(), true);
    let ((), drained) = tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(asks, drain) })
        .await
        .expect("the next leader is asked");
    drained.unwrap();
    assert!(new.is_led());
    until("the old leader knows", || !old.is_led()).await;
    town.close().await;
}

/// Whoever sent it has asked the next leader meanwhile, and was answered: a late copy would undo a newer wish.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_to_another_leadership_is_void() {
    let town = Town::open(&PAIR).await;
    let (first, second) = town.order(1);
    let group = first.group(1).unwrap();
    let led = group.term_led().unwrap();
    let directory = second.cluster.directory();
    let address = &directory.member(first.cluster.node()).unwrap().address;
    let mut client = ControlClient::new(second.cluster.channel(address).unwrap());
    let commands = entry::encode_commands(&[&wish("nobody")]).unwrap();
    for (term, is_taken) in [(led, true), (led + 1, false), (0, true)] {
        let request = ProposeRequest { group: 1, commands: commands.clone().into(), term };
        assert_eq!(client.propose(request).await.is_ok(), is_taken, "of term {term}, and {led} is led");
    }
    let before = group.shared.index();
    let queued = group.proposer.submit_under(led + 1, wish("nobody")).await.unwrap();
    assert_eq!(queued.map(drop), Err(NO_LEADER), "the lead changed while the command was in the queue");
    assert_eq!(group.shared.index(), before);
    town.close().await;
}

/// Its followers know of no other leader until the next election, and can't reach it.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_while_the_leader_is_dead_is_answered_by_the_next() {
    let mut town = Town::open(&THREE).await;
    let (first, second) = town.places(1);
    let proposer = town.seats[second].group(1).unwrap().proposer.clone();
    town.seats[first].kill().await;
    let answer = proposer.ask(wish("nobody")).await;
    assert!(is_committed(&answer), "{answer:?}");
    town.close().await;
}
