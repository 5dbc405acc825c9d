//! Far ends whose sound is SRTP: heard by those who are plain, recorded, and never mistaken for somebody else.

use bytes::Bytes;
use mangrove_proto::media::{Endpoint, SetSession, Srtp, media_event::Fact};
use mangrove_rtp::{g711::Law, srtp::Suite, tone};

use crate::{
    phone::{Phone, packet},
    recording::{finished, sides},
    support::*,
    talk::on_ports,
};

/// The far end's own key.
fn own(suite: Suite) -> Bytes {
    vec![9_u8; suite.key_length()].into()
}

/// The endpoint under keys; ours is the node's to make where it is empty.
fn secret(suite: Suite, ours: Bytes, endpoint: Endpoint) -> Endpoint {
    let srtp = Srtp { suite: suite.name().into(), ours, theirs: own(suite) };
    Endpoint { srtp: Some(srtp), ..endpoint }
}

/// The key that the node told last with an endpoint's address.
fn told(node: &Node, id: &str) -> Bytes {
    let key = |fact: &Fact| match fact {
        Fact::Ready(ready) => {
            ready.addresses.iter().find(|told| told.endpoint == id).map(|told| told.key.clone())
        }
        _ => None,
    };
    node.facts().iter().rev().find_map(key).expect("it was told")
}

/// Somebody whose sound is SRTP (440 Hz) and somebody who is plain (1000 Hz).
struct Talk {
    suite: Suite,
    a: Phone,
    b: Phone,
}

impl Talk {
    async fn of(suite: Suite) -> Self {
        let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
        Self { suite, a, b }
    }

    fn set(&self, version: u64, ours: Bytes) -> SetSession {
        let ea = secret(self.suite, ours, endpoint("a", Law::A, self.a.address()));
        bridged(version, ea, endpoint("b", Law::A, self.b.address()))
    }

    fn is_heard(&self) -> bool {
        self.a.hears(1000.0, 440.0) && self.b.hears(440.0, 1000.0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hears_the_other_in_whatever_suite_and_the_recording_has_both() {
    for suite in Suite::ALL {
        let node = Node::start();
        let mut talk = Talk::of(suite).await;
        let ours = node.ready(recording(talk.set(1, Bytes::new()), "r", "a", "b")).await;
        let key = told(&node, "a");
        assert_eq!((key.len(), told(&node, "b").len()), (suite.key_length(), 0));
        node.ready(recording(talk.set(2, key.clone()), "r", "a", "b")).await;
        talk.a.encrypt(suite, &own(suite), &key);
        talk.a.talk(ours[0], 440.0);
        talk.b.talk(ours[1], 1000.0);
        until("they hear each other", || talk.is_heard()).await;
        let sent = talk.a.sent();
        until("a second of talk has passed", || talk.a.sent() > sent + 50).await;
        node.ready(close(3)).await;
        let [left, right] = sides(&node, &finished(&node, "r").await).await;
        for (side, own, other) in [(&left, 440.0, 1000.0), (&right, 1000.0, 440.0)] {
            let levels = [own, other].map(|hertz| tone::level(&side[2000..8000], hertz));
            assert!(levels[0] > 2500.0 && levels[1] < 300.0, "{suite:?}: {levels:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_under_keys_of_their_own_hear_each_other() {
    let node = Node::start();
    let (mut a, mut b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::Mu).await);
    let suites = [Suite::Cm80, Suite::Gcm256];
    let ea = secret(suites[0], Bytes::new(), endpoint("a", Law::A, a.address()));
    let eb = secret(suites[1], Bytes::new(), endpoint("b", Law::Mu, b.address()));
    let ours = node.ready(bridged(1, ea, eb)).await;
    for (phone, suite, id) in [(&a, suites[0], "a"), (&b, suites[1], "b")] {
        phone.encrypt(suite, &own(suite), &told(&node, id));
    }
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("they hear each other", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_made_stays_until_control_says_another() {
    let node = Node::start();
    let mut talk = Talk::of(Suite::Gcm128).await;
    node.ready(session(1, vec![talk.set(1, Bytes::new()).endpoints.remove(0)])).await;
    let first = told(&node, "a");
    node.ready(talk.set(2, Bytes::new())).await;
    assert_eq!(told(&node, "a"), first);
    let other = Bytes::from(vec![3_u8; Suite::Gcm128.key_length()]);
    let ours = node.ready(talk.set(3, other.clone())).await;
    talk.a.encrypt(talk.suite, &own(talk.suite), &other);
    talk.a.talk(ours[0], 440.0);
    talk.b.talk(ours[1], 1000.0);
    until("they hear each other", || talk.is_heard()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_right_tag_is_not_heard_and_draws_no_sound() {
    let node = Node::start();
    let mut talk = Talk::of(Suite::Cm80).await;
    let mut set = talk.set(1, Bytes::new());
    set.endpoints[0].signalled_from = "127.0.0.1".into();
    let ours = node.ready(set).await;
    let stranger = Phone::new("127.0.0.1", Law::A).await;
    talk.b.talk(ours[1], 1000.0);
    for number in 0..20 {
        let plain = packet(Law::A, 700.0, number, 5);
        stranger.send(&plain, ours[0]).await;
        talk.a.send(&plain, ours[0]).await;
    }
    talk.a.encrypt(talk.suite, &own(talk.suite), &told(&node, "a"));
    talk.a.talk(ours[0], 440.0);
    until("they hear each other", || talk.is_heard()).await;
    assert_eq!(stranger.count(), 0);
    assert!(!node.facts().iter().any(|fact| matches!(fact, Fact::Latched(_))), "{:?}", node.facts());
    assert!(talk.b.heard().iter().all(|heard| heard.payload.len() == 160), "nothing sealed was passed on");
}

/// Its own context may have begun anew meanwhile, and under a key no number may come twice.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_from_plain_sound_hears_another_stream() {
    let node = Node::start();
    let mut talk = Talk::of(Suite::Cm80).await;
    let ours = node.ready(talk.set(1, Bytes::new())).await;
    let key = told(&node, "a");
    talk.a.encrypt(talk.suite, &own(talk.suite), &key);
    talk.a.talk(ours[0], 440.0);
    talk.b.talk(ours[1], 1000.0);
    until("they hear each other", || talk.is_heard()).await;
    let before = talk.a.heard()[0].header.ssrc;
    let mut plain = talk.set(2, key.clone());
    plain.endpoints[0].srtp = None;
    node.ready(plain).await;
    node.ready(talk.set(3, key)).await;
    talk.a.forget();
    until("they hear each other again", || talk.is_heard()).await;
    assert_ne!(before, talk.a.heard().last().unwrap().header.ssrc);
}

/// The numbers of the far end have turned over once when the second node hears it first.
#[tokio::test(flavor = "multi_thread")]
async fn an_heir_goes_on_with_both_keys() {
    for suite in [Suite::Cm80, Suite::Gcm128] {
        let first = Node::start();
        let mut talk = Talk::of(suite).await;
        let ours = first.ready(talk.set(1, Bytes::new())).await;
        let key = told(&first, "a");
        talk.a.encrypt(suite, &own(suite), &key);
        talk.a.begin_at(65_520);
        talk.a.talk(ours[0], 440.0);
        talk.b.talk(ours[1], 1000.0);
        until("they hear each other", || talk.is_heard() && talk.a.sent() > 20).await;
        let before = talk.a.heard()[0].header.ssrc;
        let store = first.objects.clone();
        drop(first);

        let second = Node::start_with(store, |options| options.run = 2);
        assert_eq!(second.ready(on_ports(talk.set(2, key), &ours)).await, ours);
        talk.a.forget();
        talk.b.forget();
        until("they hear each other again", || talk.is_heard()).await;
        let after = talk.a.heard().last().unwrap().header.ssrc;
        assert_ne!(before, after, "no number is sealed twice under one key and source");
    }
}
