//! Sessions go to another node on purpose: the same ports, no packet lost, the play and the recording go on.

use mangrove_proto::media::{Endpoint, SetSession, media_event::Fact};
use mangrove_rtp::g711::Law;

use crate::{
    phone::Phone,
    play::sounds,
    recording::{finished, has_parts, only_file_is_left, sides},
    support::*,
    talk::{Talk, is_on_both_sides, on_ports},
};

/// The next host, with all that the first has, before that one lets go.
async fn joined(first: &Node, set: SetSession) -> Node {
    let held = first.media.share().await;
    assert_eq!(held.len(), 1);
    let second = Node::start_with(first.objects.clone(), |options| (options.run, options.joins) = (2, true));
    assert_eq!(second.media.missing(&held), 1);
    second.set(set).await;
    assert_eq!(second.media.missing(&held), 1, "nothing is bound before the first shares its ports");
    second.media.bind();
    assert_eq!(second.media.missing(&held), 0, "it is relayed beside the first");
    second
}

async fn switched(first: &Node, second: &Node) {
    second.media.begin(first.media.close());
    first.media.finish().await;
    second.media.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_talk_goes_on_without_a_gap_and_so_does_its_recording() {
    let first = Node::start();
    let talk = Talk::through(&first).await;
    let second = joined(&first, talk.again()).await;
    let lost = || talk.a.sent().saturating_sub(talk.b.count() as u64);
    let before = lost();
    switched(&first, &second).await;
    until("the second reports", || second.facts().iter().any(|fact| matches!(fact, Fact::Ready(_)))).await;
    talk.a.forget();
    until("a hears b still", || talk.a.hears(1000.0, 440.0)).await;
    // What is on its way arrives; what is lost stays lost.
    until("all packets but two arrive", || lost() <= before + 2).await;

    second.ready(close(4)).await;
    let finished = finished(&second, "r").await;
    assert!(finished.missing_ms <= 300, "{finished:?}");
    let sides = sides(&second, &finished).await;
    assert!(is_on_both_sides(&sides, sides[0].len() - 4000..sides[0].len() - 1000));
    only_file_is_left(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_play_is_heard_once_from_its_beginning_to_its_end() {
    let first = Node::start_with(sounds().await, |_| {});
    let a = Phone::new("127.0.0.1", Law::A).await;
    let play = |port: u32| {
        let whole = Endpoint { port, ..endpoint("a", Law::A, a.address()) };
        session(1, vec![playing(whole, "p", &["prompt/tone"], false)])
    };
    let ours = first.ready(play(0)).await;
    until("some of it is heard", || a.count() >= 10).await;
    let second = joined(&first, play(ours[0].port().into())).await;
    switched(&first, &second).await;
    let finished = |fact: &Fact| matches!(fact, Fact::PlayFinished(_)).then_some(());
    second.fact("the play is finished", finished).await;
    until("all of it is heard", || a.count() >= 50).await;
    assert_eq!(a.count(), 50, "neither cut nor begun anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_ends_between_two_hosts_has_its_recording() {
    let first = Node::start();
    let talk = Talk::through(&first).await;
    has_parts(&first, 2).await;
    let second = joined(&first, talk.again()).await;
    second.set(talk.over()).await;
    switched(&first, &second).await;
    assert!(finished(&second, "r").await.duration_ms >= 400);
    only_file_is_left(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_that_were_not_shared_are_not_had() {
    let first = Node::start();
    let a = Phone::new("127.0.0.1", Law::A).await;
    let set = session(1, vec![endpoint("a", Law::A, a.address())]);
    let ours = first.ready(set.clone()).await;
    let second = Node::start_with(first.objects.clone(), |options| options.run = 2);
    second.set(on_ports(set, &ours)).await;
    second.fact("it is refused", |fact| matches!(fact, Fact::Refused(_)).then_some(())).await;
}
