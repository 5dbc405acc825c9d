//! No third address is heard or answered, at no time (`reliability.md` section 2, RTP 1, 2, 4, 5, 7).

use mangrove_proto::media::{Endpoint, media_event::Fact};
use mangrove_rtp::g711::Law;

use crate::{
    phone::{Phone, packet},
    support::*,
};

const MARK: &[u8] = b"RTPBLEEDMARK";

/// A packet that says more than sound, as like the far end's as can be guessed.
fn marked(number: u64, ssrc: u32) -> Vec<u8> {
    let mut packet = packet(Law::A, 700.0, number, ssrc);
    packet[40..40 + MARK.len()].copy_from_slice(MARK);
    packet
}

async fn spray(stranger: &Phone, ours: &[std::net::SocketAddr]) {
    for number in 0..20 {
        for to in ours {
            stranger.send(&marked(number, to.port().into()), *to).await;
            stranger.send(&marked(number + 30_000, to.port().into()), *to).await;
        }
    }
}

fn is_clean(phone: &Phone) -> bool {
    phone.heard().iter().all(|p| p.payload.windows(MARK.len()).all(|w| w != MARK))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_never_heard_and_never_answered() {
    let node = Node::start();
    let (mut a, mut b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let stranger = Phone::new("127.0.0.66", Law::A).await;
    let signalled = |e: Endpoint| Endpoint { signalled_from: "127.0.0.1".into(), ..e };
    let (ea, eb) =
        (signalled(endpoint("a", Law::A, a.address())), signalled(endpoint("b", Law::A, b.address())));
    let music = playing(eb.clone(), "m", &["music/default"], true);
    let ours = node.ready(session(1, vec![hearing(ea.clone(), "b"), music])).await;

    spray(&stranger, &ours).await; // before the first packet
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("a hears b", || a.hears(1000.0, 700.0)).await;
    node.ready(bridged(2, ea.clone(), eb.clone())).await;
    spray(&stranger, &ours).await; // in the call
    until("both hear", || a.hears(1000.0, 700.0) && b.hears(440.0, 700.0)).await;
    node.ready(bridged(3, Endpoint { send: false, ..ea.clone() }, eb.clone())).await;
    spray(&stranger, &ours).await; // on hold
    let mut moved = Phone::new("127.0.0.1", Law::A).await;
    assert!(is_clean(&a));
    drop(a);
    let ea = Endpoint { remote: moved.address().to_string(), ..ea };
    node.ready(bridged(4, ea, eb)).await;
    spray(&stranger, &ours).await; // after a re-INVITE
    moved.talk(ours[0], 440.0);
    until("the new address hears", || moved.hears(1000.0, 700.0)).await;
    node.ready(close(5)).await;
    spray(&stranger, &ours).await; // after the end

    assert_eq!(stranger.count(), 0);
    assert!(is_clean(&b) && is_clean(&moved));
    assert!(!node.facts().iter().any(|f| matches!(f, Fact::Latched(_) | Fact::Digit(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_behind_translation_is_followed_to_its_address() {
    let node = Node::start();
    let (mut behind, mut b) = (Phone::new("127.0.0.2", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let private = "10.0.0.5:4000".parse().unwrap();
    let translated = Endpoint { signalled_from: "127.0.0.2".into(), ..endpoint("a", Law::A, private) };
    let ours = node.ready(bridged(1, translated, endpoint("b", Law::A, b.address()))).await;
    b.talk(ours[1], 1000.0);
    behind.talk(ours[0], 440.0);
    until("both hear", || behind.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
    let latched = node.fact("the address is reported", |fact| match fact {
        Fact::Latched(latched) => Some((latched.endpoint.clone(), latched.address.clone())),
        _ => None,
    });
    assert_eq!(latched.await, ("a".to_owned(), behind.address().to_string()));
    assert_eq!(b.heard()[0].header.sequence.wrapping_add(1), b.heard()[1].header.sequence);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_heir_reaches_a_phone_behind_translation_that_says_nothing() {
    let node = Node::start();
    let (behind, mut b) = (Phone::new("127.0.0.2", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let private = "10.0.0.5:4000".parse().unwrap();
    let translated = Endpoint {
        signalled_from: "127.0.0.2".into(),
        latched: behind.address().to_string(),
        ..endpoint("a", Law::A, private)
    };
    let ours = node.ready(bridged(1, translated, endpoint("b", Law::A, b.address()))).await;
    b.talk(ours[1], 1000.0);
    until("the silent phone hears", || behind.count() > 5).await;
    assert!(!node.facts().iter().any(|fact| matches!(fact, Fact::Latched(_))), "control knows it");
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_harms_nobody() {
    let node = Node::start();
    let (mut a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let set = bridged(1, endpoint("a", Law::A, a.address()), endpoint("b", Law::A, b.address()));
    let ours = node.ready(set).await;
    let reports = std::net::SocketAddr::new(ours[0].ip(), ours[0].port() + 1);
    for length in (0..1400).step_by(7) {
        let garbage: Vec<u8> = (0..length).map(|n: usize| (n * 31 + length) as u8).collect();
        let bye = [&[0x80, 200, 0, 6][..], &[0; 24], &[0x81, 203, 0, 1, 0, 0, 0, 1]].concat();
        for to in [ours[0], reports] {
            a.send(&garbage, to).await;
            a.send(&bye, to).await;
        }
    }
    a.talk(ours[0], 440.0);
    until("b hears a", || b.hears(440.0, 1000.0)).await;
}
