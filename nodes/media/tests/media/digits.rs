//! Keys that a caller presses.

use mangrove_proto::media::{Endpoint, media_event::Fact};
use mangrove_rtp::{
    digit::Sender,
    g711::Law,
    header::{self},
};

use crate::{
    phone::{Phone, packet},
    support::*,
};

/// The packets of a press, from sequence number `from`, under SSRC 1.
pub(crate) fn press(key: char, payload_type: u8, from: u16, timestamp: u32) -> Vec<Vec<u8>> {
    press_under(1, key, payload_type, from, timestamp)
}

fn press_under(ssrc: u32, key: char, payload_type: u8, from: u16, timestamp: u32) -> Vec<Vec<u8>> {
    let mut sender = Sender::new(key, 100, 8_000).unwrap();
    let mut packets = Vec::new();
    while let Some(event) = sender.next() {
        let mut bytes = vec![0; header::LENGTH];
        let sequence = from + packets.len() as u16;
        header::write(&mut bytes, payload_type, event.marker, sequence, timestamp, ssrc);
        bytes.extend(event.payload);
        packets.push(bytes);
    }
    packets
}

fn digits(node: &Node) -> String {
    let facts = node.facts();
    facts
        .iter()
        .filter_map(|fact| if let Fact::Digit(d) = fact { Some(d.digit.as_str()) } else { None })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_reported_once_and_passed_on_under_the_peers_type() {
    let node = Node::start();
    let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let there = Endpoint { telephone_event: 96, ..endpoint("b", Law::A, b.address()) };
    let ours = node.ready(bridged(1, endpoint("a", Law::A, a.address()), there)).await;
    for bytes in press('4', 101, 10, 8000) {
        a.send(&bytes, ours[0]).await;
        a.send(&bytes, ours[0]).await;
    }
    for bytes in press('#', 101, 30, 16_000).iter().take(3) {
        a.send(bytes, ours[0]).await; // its end is lost
    }
    until("both keys are reported", || digits(&node) == "4#").await;
    let durations: Vec<u32> = node
        .facts()
        .iter()
        .filter_map(|fact| if let Fact::Digit(d) = fact { Some(d.duration_ms) } else { None })
        .collect();
    assert_eq!(durations, [100, 60]);
    assert_eq!(b.count(), 17, "all packets are passed on, doubles as well");
    assert!(b.heard().iter().all(|p| p.header.payload_type == 96 && p.payload.len() == 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_without_events_misses_no_packet() {
    let node = Node::start();
    let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let there = Endpoint { telephone_event: 0, ..endpoint("b", Law::A, b.address()) };
    let ours = node.ready(bridged(1, endpoint("a", Law::A, a.address()), there)).await;
    a.send(&packet(Law::A, 440.0, 9, 1), ours[0]).await;
    for bytes in press('7', 101, 10, 1600) {
        a.send(&bytes, ours[0]).await;
    }
    a.send(&packet(Law::A, 440.0, 17, 1), ours[0]).await;
    until("b heard the sound", || b.count() == 2).await;
    until("the key is reported", || digits(&node) == "7").await;
    let sequences: Vec<u16> = b.heard().iter().map(|p| p.header.sequence).collect();
    assert_eq!(sequences[1], sequences[0].wrapping_add(1), "no gap that looks like loss");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_keys_count_for_nothing() {
    let node = Node::start();
    let (a, stranger) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.66", Law::A).await);
    let ours = node.ready(session(1, vec![endpoint("a", Law::A, a.address())])).await;
    for bytes in press('1', 101, 10, 8000) {
        stranger.send(&bytes, ours[0]).await;
    }
    for bytes in press('2', 101, 10, 8000) {
        a.send(&bytes, ours[0]).await;
    }
    until("the caller's key is reported", || !digits(&node).is_empty()).await;
    assert_eq!(digits(&node), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_under_another_ssrc_than_the_sound_are_reported_once_each() {
    let node = Node::start();
    let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let set = bridged(1, endpoint("a", Law::A, a.address()), endpoint("b", Law::A, b.address()));
    let ours = node.ready(set).await;
    let mut sound = 1..;
    for (key, timestamp) in [('1', 8_000), ('1', 16_000), ('9', 24_000)] {
        for event in press_under(2, key, 101, (timestamp / 100) as u16, timestamp) {
            a.send(&packet(Law::A, 440.0, sound.next().unwrap(), 1), ours[0]).await;
            a.send(&event, ours[0]).await;
        }
    }
    until("all keys are reported", || digits(&node).len() >= 3).await;
    node.ready(close(2)).await;
    assert_eq!(digits(&node), "119");
    let lost = |fact: &Fact| match fact {
        Fact::Counters(counters) if counters.endpoint == "a" => Some(counters.packets_lost),
        _ => None,
    };
    assert_eq!(node.fact("a was counted", lost).await, 0, "the sound's stream went on");
}
