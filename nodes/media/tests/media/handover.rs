//! Sessions go to another node on purpose: the same ports, no packet lost, the play and the recording go on.

use std::sync::Arc;

use mangrove_proto::media::{Endpoint, SetSession, media_event::Fact};
use mangrove_rtp::{g711::Law, tone};
use object_store::memory::InMemory;

use crate::{
    phone::Phone,
    play::sounds,
    recording::{finished, only_file_is_left, sides},
    support::*,
    takeover::on_ports,
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
    let first = Node::start_with(Arc::new(InMemory::new()), |_| {});
    let (mut a, mut b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let set = |version| {
        let (ea, eb) = (endpoint("a", Law::A, a.address()), endpoint("b", Law::A, b.address()));
        recording(bridged(version, ea, eb), "r", "a", "b")
    };
    let (before, again) = (set(3), set(3));
    let ours = first.ready(before).await;
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("they hear each other", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;

    let second = joined(&first, on_ports(again, &ours)).await;
    let lost = |phone: &Phone, other: &Phone| other.sent().saturating_sub(phone.count() as u64);
    let before = (lost(&a, &b), lost(&b, &a));
    switched(&first, &second).await;
    until("the second reports", || second.facts().iter().any(|fact| matches!(fact, Fact::Ready(_)))).await;
    a.forget();
    until("they hear each other still", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
    let after = lost(&b, &a);
    assert!(after <= before.1 + 2, "{after} packets did not arrive, {} before", before.1);

    second.ready(close(4)).await;
    let finished = finished(&second, "r").await;
    assert!(finished.missing_ms <= 300, "{finished:?}");
    let [left, right] = sides(&second, &finished).await;
    let end = left.len() - 4000..left.len() - 1000;
    assert!(tone::level(&left[end.clone()], 440.0) > 2500.0 && tone::level(&right[end], 1000.0) > 2500.0);
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
    assert_eq!(a.count(), 50, "neither cut nor begun anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_ends_between_two_hosts_has_its_recording() {
    let first = Node::start();
    let (mut a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let (ea, eb) = (endpoint("a", Law::A, a.address()), endpoint("b", Law::A, b.address()));
    let set = recording(bridged(3, ea, eb), "r", "a", "b");
    let over = SetSession { recording: set.recording.clone(), ..close(4) };
    let ours = first.ready(set.clone()).await;
    a.talk(ours[0], 440.0);
    until("they talk", || b.hears(440.0, 1000.0)).await;
    let second = joined(&first, on_ports(set, &ours)).await;
    second.set(over).await;
    switched(&first, &second).await;
    assert!(finished(&second, "r").await.duration_ms >= 500);
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
