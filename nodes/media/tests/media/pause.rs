//! A paused recording: what is said meanwhile is in no object, late packets and pressed keys included, and both sides stay
//! where they were.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::TryStreamExt;
use mangrove_proto::media::{RecordingPaused, SetSession, media_event::Fact};
use mangrove_rtp::{g711::Law, tone};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;

use crate::{
    digits::press,
    phone::{Phone, packet},
    recording::{finished, has_parts, sides},
    support::*,
};

/// What is said before and after.
const CALLER: f64 = 440.0;
/// What is said in the pause: the number of a card.
const SECRET: f64 = 2000.0;
const AGENT: f64 = 700.0;
/// What somebody says whom both hear.
const SUPERVISOR: f64 = 1_300.0;

/// One stream of packets whose tone changes, over a network that may hold packets back.
#[derive(Debug)]
struct Voice {
    phone: Phone,
    hertz: Mutex<f64>,
    stalls: AtomicBool,
    said: AtomicU64,
}

impl Voice {
    async fn new(hertz: f64) -> Arc<Self> {
        let phone = Phone::new("127.0.0.1", Law::A).await;
        let (hertz, stalls, said) = (Mutex::new(hertz), AtomicBool::new(false), AtomicU64::new(0));
        Arc::new(Self { phone, hertz, stalls, said })
    }

    fn talk(self: &Arc<Self>, to: std::net::SocketAddr) {
        let this = self.clone();
        tokio::spawn(async move {
            let (mut frames, mut held_back) = (tokio::time::interval(Duration::from_millis(20)), Vec::new());
            for number in 0_u64.. {
                frames.tick().await;
                held_back.push(packet(Law::A, *this.hertz.lock(), number, to.port().into()));
                this.said.store(number, Ordering::Relaxed);
                if this.stalls.load(Ordering::Relaxed) {
                    continue;
                }
                for packet in held_back.drain(..) {
                    this.phone.send(&packet, to).await;
                }
            }
        });
    }

    fn say(&self, hertz: f64) {
        *self.hertz.lock() = hertz;
    }

    fn stall(&self, stalls: bool) {
        self.stalls.store(stalls, Ordering::Relaxed);
    }

    /// Waits until it has said so many frames more.
    async fn goes_on(&self, frames: u64) {
        let from = self.said.load(Ordering::Relaxed);
        until("it goes on talking", || self.said.load(Ordering::Relaxed) >= from + frames).await;
    }
}

/// The recorded talk of the two.
fn talk(version: u64, [a, b]: [&Arc<Voice>; 2], pause: Option<u64>) -> SetSession {
    let [a, b] = [("a", a), ("b", b)].map(|(id, voice)| endpoint(id, Law::A, voice.phone.address()));
    let mut set = recording(bridged(version, a, b), "r", "a", "b");
    if let Some(recording) = &mut set.recording {
        recording.pause = pause;
    }
    set
}

/// The same with a third whom both hear, recorded beside `b`.
fn barged(version: u64, voices: [&Arc<Voice>; 3], pause: Option<u64>) -> SetSession {
    let [a, b, c] = voices.map(|voice| voice.phone.address());
    let endpoints = vec![
        mixing(endpoint("a", Law::A, a), &["b", "c"]),
        mixing(endpoint("b", Law::A, b), &["a", "c"]),
        mixing(endpoint("c", Law::A, c), &["a", "b"]),
    ];
    let mut set = recording(session(version, endpoints), "r", "a", "b");
    if let Some(recording) = &mut set.recording {
        recording.right_too.push("c".into());
        recording.pause = pause;
    }
    set
}

async fn confirmed(node: &Node, pause: u64) {
    let expected = Fact::RecordingPaused(RecordingPaused { recording: "r".into(), pause });
    node.fact("the pause is confirmed", |fact| (*fact == expected).then_some(())).await;
}

/// The sound of all objects there are, both sides of each.
async fn sounds(node: &Node) -> Vec<(String, [Vec<i16>; 2])> {
    let all: Vec<ObjectMeta> = node.objects.list(None).try_collect().await.unwrap();
    let mut sounds = Vec::new();
    for meta in all.into_iter().filter(|meta| !meta.location.to_string().ends_with(".json")) {
        let bytes = node.objects.get(&meta.location).await.unwrap().bytes().await.unwrap();
        let start = if bytes.starts_with(b"RIFF") { 44 } else { 0 };
        let samples: Vec<i16> =
            bytes[start..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        let side = |side: usize| samples.iter().skip(side).step_by(2).copied().collect();
        sounds.push((meta.location.to_string(), [side(0), side(1)]));
    }
    sounds
}

/// Nowhere in any object, for a tenth of a second, there is the secret.
async fn assert_nothing_of_the_pause(node: &Node) {
    for (name, sides) in sounds(node).await {
        for window in sides.iter().flat_map(|side| side.chunks_exact(800)) {
            assert!(tone::level(window, SECRET) < 200.0, "the secret is in {name}");
        }
    }
}

/// The longest silence of both sides at once, in samples.
fn longest_silence([left, right]: &[Vec<i16>; 2]) -> usize {
    let (mut longest, mut present) = (0, 0);
    for (left, right) in left.iter().zip(right) {
        present = if (*left, *right) == (0, 0) { present + 1 } else { 0 };
        longest = longest.max(present);
    }
    longest
}

#[tokio::test(flavor = "multi_thread")]
async fn the_paused_seconds_are_in_no_object_whatever_comes_late() {
    let node = Node::start();
    let (a, b) = (Voice::new(CALLER).await, Voice::new(AGENT).await);
    let ours = node.ready(talk(1, [&a, &b], None)).await;
    a.talk(ours[0]);
    b.talk(ours[1]);
    has_parts(&node, 3).await;

    node.ready(talk(2, [&a, &b], Some(1))).await;
    confirmed(&node, 1).await;
    a.say(SECRET);
    a.goes_on(60).await;
    for bytes in press('4', 101, 10, 8000) {
        a.phone.send(&bytes, ours[0]).await;
    }
    let key = |fact: &Fact| if let Fact::Digit(digit) = fact { Some(digit.digit.clone()) } else { None };
    assert_eq!(node.fact("a key is reported", key).await, "", "and not which");
    assert_nothing_of_the_pause(&node).await;
    // The last of it is held back until the recording goes on.
    a.stall(true);
    a.goes_on(15).await;
    a.say(CALLER);
    a.goes_on(2).await;
    node.ready(talk(3, [&a, &b], None)).await;
    a.goes_on(5).await;
    a.stall(false);
    a.goes_on(60).await;
    assert_nothing_of_the_pause(&node).await;
    node.ready(close(4)).await;

    let finished = finished(&node, "r").await;
    assert_nothing_of_the_pause(&node).await;
    let both = sides(&node, &finished).await;
    let silence = longest_silence(&both);
    assert!((8_000..20_000).contains(&silence), "the pause is silent on both sides: {silence}");
    let [left, right] = &both;
    let end = left.len() - 8_000..left.len() - 800;
    for (side, hertz) in [(left, CALLER), (right, AGENT)] {
        assert!(tone::level(&side[..4_000], hertz) > 1_000.0, "{hertz} before");
        assert!(tone::level(&side[end.clone()], hertz) > 1_000.0, "{hertz} after");
    }
    assert_eq!(finished.missing_ms, 0, "it was meant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_pressed_in_a_pause_is_not_told_though_its_end_comes_after_it() {
    let node = Node::start();
    let (a, b) = (Voice::new(CALLER).await, Voice::new(AGENT).await);
    let ours = node.ready(talk(1, [&a, &b], Some(1))).await;
    confirmed(&node, 1).await;
    let packets = press('4', 101, 10, 8000);
    let (begin, end) = packets.split_at(2);
    for bytes in begin {
        a.phone.send(bytes, ours[0]).await;
    }
    node.ready(talk(2, [&a, &b], None)).await;
    for bytes in end {
        a.phone.send(bytes, ours[0]).await;
    }
    let key = |fact: &Fact| if let Fact::Digit(digit) = fact { Some(digit.digit.clone()) } else { None };
    assert_eq!(node.fact("a key is reported", key).await, "", "and not which");
}

/// Its session leaves another node, which still records.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_pressed_in_a_pause_is_not_told_by_a_node_that_only_relays_either() {
    let node = Node::start();
    let (a, b) = (Voice::new(CALLER).await, Voice::new(AGENT).await);
    let mut set = SetSession { recording: None, ..talk(1, [&a, &b], None) };
    set.endpoints.iter_mut().for_each(|endpoint| endpoint.secret = true);
    let ours = node.ready(set).await;
    for bytes in press('4', 101, 10, 8000) {
        a.phone.send(&bytes, ours[0]).await;
    }
    let key = |fact: &Fact| if let Fact::Digit(digit) = fact { Some(digit.digit.clone()) } else { None };
    assert_eq!(node.fact("a key is reported", key).await, "", "and not which");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_takes_a_paused_session_over_records_nothing_until_it_goes_on() {
    let node = Node::start();
    let (a, b) = (Voice::new(SECRET).await, Voice::new(SECRET).await);
    let ours = node.ready(talk(7, [&a, &b], Some(3))).await;
    confirmed(&node, 3).await;
    a.talk(ours[0]);
    b.talk(ours[1]);
    has_parts(&node, 3).await;
    let all = sounds(&node).await;
    assert!(all.iter().any(|(_, [left, _])| !left.is_empty()), "it goes on without a sound");
    for (name, sides) in all {
        assert!(sides.iter().flatten().all(|sample| *sample == 0), "{name}");
    }
    for voice in [&a, &b] {
        voice.say(CALLER);
    }
    a.goes_on(2).await;
    node.ready(talk(8, [&a, &b], None)).await;
    a.goes_on(40).await;
    node.ready(close(9)).await;
    let [left, _] = sides(&node, &finished(&node, "r").await).await;
    assert!(tone::level(&left[left.len() - 4_000..left.len() - 800], CALLER) > 1_000.0);
    assert_nothing_of_the_pause(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_recorded_beside_another_is_paused_with_them_and_nothing_waits_for_the_end() {
    let node = Node::start();
    let (a, b, c) = (Voice::new(CALLER).await, Voice::new(AGENT).await, Voice::new(SUPERVISOR).await);
    let voices = [&a, &b, &c];
    let ours = node.ready(barged(1, voices, None)).await;
    voices.into_iter().zip(ours).for_each(|(voice, to)| voice.talk(to));
    has_parts(&node, 5).await;

    node.ready(barged(2, voices, Some(1))).await;
    confirmed(&node, 1).await;
    for voice in voices {
        voice.say(SECRET);
    }
    a.goes_on(60).await;
    let hear = || voices.iter().all(|voice| voice.phone.level(SECRET) > 2_000.0);
    until("they hear each other", hear).await;
    // What b says comes so unevenly that much of it waits to be mixed; the last that c says comes after the pause.
    b.stall(true);
    b.goes_on(8).await;
    b.stall(false);
    b.goes_on(5).await;
    c.stall(true);
    c.goes_on(15).await;
    let own = [CALLER, AGENT, SUPERVISOR];
    voices.into_iter().zip(own).for_each(|(voice, hertz)| voice.say(hertz));
    a.goes_on(2).await;
    node.ready(barged(3, voices, None)).await;
    a.goes_on(5).await;
    c.stall(false);
    a.goes_on(60).await;
    assert_nothing_of_the_pause(&node).await;
    node.ready(close(4)).await;

    let both = sides(&node, &finished(&node, "r").await).await;
    assert_nothing_of_the_pause(&node).await;
    let silence = longest_silence(&both);
    assert!(silence > 8_000, "the pause is silent on both sides: {silence}");
    let [left, right] = &both;
    let end = left.len() - 8_000..left.len() - 800;
    for (side, hertz) in [(left, CALLER), (right, AGENT), (right, SUPERVISOR)] {
        assert!(tone::level(&side[2_000..6_000], hertz) > 1_000.0, "{hertz} before");
        assert!(tone::level(&side[end.clone()], hertz) > 1_000.0, "{hertz} after");
    }
}
