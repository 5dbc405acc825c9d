//! Prompts and music.

use std::sync::Arc;

use mangrove_proto::media::{Endpoint, endpoint::Hears, media_event::Fact};
use mangrove_rtp::{g711::Law, tone, wav};
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};

use crate::{phone::Phone, support::*};

/// A store with a tone of one second at 16 kHz as `prompt/tone`, and a file that is no sound as `prompt/bad`.
pub(crate) async fn sounds() -> Arc<dyn ObjectStore> {
    let objects = InMemory::new();
    // At twice the rate a tone of 300 Hz is written as one of 150 at 8 kHz.
    let samples = tone::sine(150.0, 4000.0, 0, 16_000);
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let file = [&wav::header(1, 16_000, data.len() as u64)[..], &data].concat();
    objects.put(&Path::from("prompts/acme/prompt/tone.wav"), file.into()).await.unwrap();
    objects
        .put(&Path::from("prompts/acme/prompt/bad.wav"), b"RIFF....WAVEfmt ".to_vec().into())
        .await
        .unwrap();
    Arc::new(objects)
}

fn finished(node: &Node) -> Vec<String> {
    let name = |fact: &Fact| if let Fact::PlayFinished(p) = fact { Some(p.play.clone()) } else { None };
    node.facts().iter().filter_map(name).collect()
}

fn refused(fact: &Fact) -> Option<String> {
    if let Fact::Refused(refused) = fact { Some(refused.why.clone()) } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_play_goes_on_when_it_is_ordered_again() {
    let node = Node::start_with(sounds().await, |_| {});
    let a = Phone::new("127.0.0.1", Law::Mu).await;
    let play = |id: &str| playing(endpoint("a", Law::Mu, a.address()), id, &["prompt/tone"], false);
    node.ready(session(1, vec![play("first")])).await;
    until("half of it is heard", || a.count() >= 25).await;
    assert!(a.hears(300.0, 440.0));
    node.ready(session(2, vec![play("first")])).await;
    until("it is finished", || finished(&node) == ["first"]).await;
    until("all of it is heard", || a.count() >= 50).await;
    assert_eq!(a.count(), 50, "neither cut nor begun anew");
    node.ready(session(3, vec![play("first")])).await;
    node.ready(session(4, vec![play("second")])).await;
    until("the second is finished", || finished(&node) == ["first", "second"]).await;
    until("all of it is heard", || a.count() >= 100).await;
    assert_eq!(a.count(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_play_waits_for_someone_to_hear_it() {
    let node = Node::start_with(sounds().await, |_| {});
    let a = Phone::new("127.0.0.1", Law::A).await;
    let whole = endpoint("a", Law::A, a.address());
    let unknown = Endpoint { remote: String::new(), codec: None, ..whole.clone() };
    node.ready(session(1, vec![playing(unknown, "p", &["prompt/tone", "prompt/tone"], false)])).await;
    node.ready(session(2, vec![playing(whole, "p", &["prompt/tone", "prompt/tone"], false)])).await;
    until("it is finished", || finished(&node) == ["p"]).await;
    until("all of it is heard", || a.count() >= 100).await;
    assert_eq!(a.count(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn music_then_an_agent_is_one_unbroken_stream() {
    let node = Node::start();
    let (caller, mut agent) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::Mu).await);
    let (ea, eb) = (endpoint("a", Law::A, caller.address()), endpoint("b", Law::Mu, agent.address()));
    node.ready(session(1, vec![playing(ea.clone(), "m", &["music/default"], true)])).await;
    until("music is heard", || caller.count() > 20).await;
    let ours = node.ready(bridged(2, ea, eb)).await;
    agent.talk(ours[1], 1000.0);
    until("the agent is heard", || caller.hears(1000.0, 300.0)).await;
    let heard = caller.heard();
    assert!(heard.iter().all(|p| p.header.ssrc == heard[0].header.ssrc));
    for pair in heard.windows(2) {
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
        let step = pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp);
        assert!((160..16_000).contains(&step), "{step}");
    }
    assert_eq!(heard.iter().filter(|p| p.header.marker).count(), 2, "one talkspurt each");
}

/// A store with two pieces of music of a second each, 300 and 500 Hz.
async fn station() -> Arc<dyn ObjectStore> {
    let objects = InMemory::new();
    for (name, hertz) in [("one", 300.0), ("two", 500.0)] {
        let samples = tone::sine(hertz, 4000.0, 0, 8000);
        let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        let file = [&wav::header(1, 8000, data.len() as u64)[..], &data].concat();
        objects.put(&Path::from(format!("prompts/acme/music/{name}.wav")), file.into()).await.unwrap();
    }
    Arc::new(objects)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_goes_on_for_all_who_join_it_at_any_node() {
    let objects = station().await;
    let (first, heir) = (Node::start_with(objects.clone(), |_| {}), Node::start_with(objects, |_| {}));
    let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let listening = |id: &str, phone: &Phone| {
        let music = ["music/one", "music/two"];
        let mut endpoint = playing(endpoint(id, Law::A, phone.address()), "station-one", &music, true);
        let Some(Hears::Play(play)) = &mut endpoint.hears else { panic!("a play") };
        play.by_clock = true;
        endpoint
    };
    first.ready(session(1, vec![listening("a", &a)])).await;
    // Were the list begun anew for each, one would be in its first half whenever the other is in its second.
    until("the first has heard nearly a second", || a.count() >= 45).await;
    heir.ready(session(1, vec![listening("b", &b)])).await;
    for (here, not) in [(300.0, 500.0), (500.0, 300.0)] {
        until("both hear the same piece", || a.hears(here, not) && b.hears(here, not)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_frames_a_second_reach_their_listeners_in_time() {
    let node = Node::start();
    let mut phones = Vec::new();
    for _ in 0..20 {
        phones.push(Phone::new("127.0.0.1", Law::A).await);
    }
    let endpoints = phones.iter().enumerate().map(|(n, phone)| {
        playing(endpoint(&n.to_string(), Law::A, phone.address()), "m", &["music/default"], true)
    });
    node.ready(session(1, endpoints.collect())).await;
    until("all hear", || phones.iter().all(|phone| phone.count() >= 50)).await;
    // In some look: between two counts more arrives, but who lacks frames never catches up.
    let is_even = || {
        let counts: Vec<usize> = phones.iter().map(Phone::count).collect();
        counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 5
    };
    until("none has heard less than the others", is_even).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sounds_that_cannot_be_played_are_refused_and_the_former_state_stands() {
    let node = Node::start_with(sounds().await, |_| {});
    let a = Phone::new("127.0.0.1", Law::A).await;
    let play = |key: &str| playing(endpoint("a", Law::A, a.address()), "p", &[key], true);
    let before = node.ready(session(1, vec![play("music/default")])).await;
    node.set(session(2, vec![play("prompt/bad")])).await;
    let why = node.fact("the bad file is refused", refused).await;
    assert!(why.contains("`prompt/bad` can't be played"), "{why}");
    node.set(session(3, vec![play("prompt/none")])).await;
    node.fact("the unknown is refused", |f| refused(f).filter(|why| why.contains("no sound `prompt/none`")))
        .await;
    let heard = a.count();
    until("music goes on", || a.count() > heard + 10).await;
    assert_eq!(node.ready(session(4, vec![play("music/default")])).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentence_that_lacks_a_fragment_is_refused_and_music_goes_on_without_a_piece() {
    let node = Node::start_with(sounds().await, |_| {});
    let a = Phone::new("127.0.0.1", Law::A).await;
    let list = ["prompt/tone", "prompt/none"];
    let play = |id: &str, repeat| playing(endpoint("a", Law::A, a.address()), id, &list, repeat);
    node.set(session(1, vec![play("sentence", false)])).await;
    node.fact("it is refused", |f| refused(f).filter(|why| why.contains("no sound `prompt/none`"))).await;
    node.ready(session(2, vec![play("music", true)])).await;
    until("what is there is heard", || a.hears(300.0, 440.0)).await;
}
