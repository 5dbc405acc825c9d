//! A node that dies and comes back: the same ports, the same recording.

use std::sync::Arc;

use mangrove_proto::media::{SetSession, media_event::Fact};
use mangrove_rtp::g711::Law;
use object_store::{
    memory::InMemory,
    throttle::{ThrottleConfig, ThrottledStore},
};

use crate::{
    phone::Phone,
    recording::{finished, has_parts, only_file_is_left, sides},
    support::*,
    talk::{Talk, is_on_both_sides, on_ports},
};

async fn taken_over(gently: bool) {
    let first = Node::start();
    let talk = Talk::through(&first).await;
    has_parts(&first, 3).await;
    let store = first.objects.clone();
    if gently {
        first.media.stop().await;
    }
    drop(first);

    let second = Node::start_with(store, |options| options.run = 2);
    assert_eq!(second.ready(talk.again()).await, talk.ours());
    talk.goes_on().await;
    second.ready(close(4)).await;
    let finished = finished(&second, "r").await;
    let sides = sides(&second, &finished).await;
    let left = &sides[0];
    for part in [1500..3000, left.len() - 4000..left.len() - 1000] {
        assert!(is_on_both_sides(&sides, part.clone()), "{part:?} of {}", left.len());
    }
    let lost =
        (0..left.len() - 400).step_by(400).filter(|n| left[*n..n + 400].iter().all(|s| *s == 0)).count();
    let lost_ms = lost as u64 * 50;
    // Besides the reported gap there is the moment before the first packet and the time that ports were closed.
    assert!(lost_ms <= finished.missing_ms + 300, "{lost_ms} ms silent, {} ms named", finished.missing_ms);
    only_file_is_left(&second).await;
}

/// The call ended while nobody had its session: the heir gets nothing but the order to close it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_node_recorded_of_a_call_that_is_over_is_put_together_at_once() {
    let first = Node::start();
    let talk = Talk::through(&first).await;
    has_parts(&first, 3).await;
    let store = first.objects.clone();
    drop(first);

    let second = Node::start_with(store, |options| options.run = 2);
    second.set(talk.over()).await;
    second.set(talk.over()).await;
    let finished = finished(&second, "r").await;
    assert!(finished.duration_ms >= 600, "{finished:?}");
    only_file_is_left(&second).await;
}

/// It was ended by hand, and another one began.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_node_recorded_before_the_present_recording_is_put_together_by_its_heir() {
    let first = Node::start();
    let talk = Talk::through(&first).await;
    has_parts(&first, 3).await;
    let store = first.objects.clone();
    drop(first);

    let second = Node::start_with(store, |options| options.run = 2);
    let mut again = talk.again();
    again.left.extend(again.recording.take());
    second.ready(recording(again, "r2", "a", "b")).await;
    let finished = finished(&second, "r").await;
    assert!(finished.duration_ms >= 600, "{finished:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_comes_back_on_the_same_ports_and_goes_on_recording() {
    taken_over(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_comes_back_on_the_same_ports_and_goes_on_recording() {
    taken_over(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_people_hear_each_other_before_the_music_is_read() {
    let first = Node::start();
    let (mut a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let c = Phone::new("127.0.0.1", Law::A).await;
    let set = |version| {
        let [ea, eb, ec] = [("a", &a), ("b", &b), ("c", &c)].map(|(id, p)| endpoint(id, Law::A, p.address()));
        let waits = playing(ec, "m", &["music/default"], true);
        SetSession { endpoints: vec![hearing(ea, "b"), hearing(eb, "a"), waits], ..session(version, vec![]) }
    };
    let (before, again) = (set(1), set(1));
    let ours = first.ready(before).await;
    first.media.stop().await;
    drop(first);

    let slow = ThrottleConfig { wait_get_per_call: std::time::Duration::from_secs(60), ..Default::default() };
    let store = Arc::new(ThrottledStore::new(InMemory::new(), slow));
    let second = Node::start_with(store, |options| options.run = 2);
    assert!(second.set(on_ports(again, &ours)).await);
    a.talk(ours[0], 440.0);
    b.forget();
    until("b hears a", || b.count() > 0).await;
    assert!(second.facts().is_empty(), "nothing is promised yet: {:?}", second.facts());
    c.forget();
    until("music follows", || c.count() > 0).await;
    second.fact("all is ready", |fact| matches!(fact, Fact::Ready(_)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_that_were_opened_for_a_session_that_is_refused_are_closed() {
    let node = Node::start();
    let a = Phone::new("127.0.0.1", Law::A).await;
    let plays = playing(endpoint("a", Law::A, a.address()), "p", &["prompt/none"], false);
    node.set(session(1, vec![plays])).await;
    node.fact("the unknown is refused", |fact| matches!(fact, Fact::Refused(_)).then_some(())).await;
    assert_eq!(node.media.load(), 0);
}
