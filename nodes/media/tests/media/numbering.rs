//! Payload types that differ by direction, and encodings that are passed on without being looked into.

use mangrove_proto::media::{Codec, Endpoint, TelephoneEvent, media_event::Fact};
use mangrove_rtp::{
    digit::Sender,
    g711::{self, Law},
    header,
};

use crate::{phone::Phone, support::*};

/// Some bytes of an encoding, 20 ms after the ones before.
fn packet(payload_type: u8, number: u16, clock: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; header::LENGTH];
    let timestamp = u32::from(number) * (clock / 50);
    header::write(&mut packet, payload_type, number == 0, number, timestamp, 1);
    packet.extend(payload);
    packet
}

fn opus(payload_type: u32, expected: Option<u32>) -> Option<Codec> {
    let (name, fmtp) = ("opus".into(), "useinbandfec=1".into());
    Some(Codec { payload_type, name, clock_rate: 48_000, channels: Some(2), fmtp, expected })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoding_is_passed_on_untouched_under_each_ends_own_numbers() {
    let node = Node::start();
    let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let here = Endpoint { codec: opus(111, None), ..endpoint("a", Law::A, a.address()) };
    let there = Endpoint { codec: opus(96, Some(107)), ..endpoint("b", Law::A, b.address()) };
    let ours = node.ready(bridged(1, here, there)).await;
    for number in 0..3 {
        a.send(&packet(111, number, 48_000, &[7; 61]), ours[0]).await;
    }
    until("b hears a", || b.count() == 3).await;
    assert!(b.heard().iter().all(|p| p.header.payload_type == 96 && p.payload == [7; 61]));
    let stamps: Vec<u32> = b.heard().iter().map(|p| p.header.timestamp).collect();
    assert_eq!([stamps[1].wrapping_sub(stamps[0]), stamps[2].wrapping_sub(stamps[1])], [960, 960]);
    b.send(&packet(96, 0, 48_000, &[8; 50]), ours[1]).await;
    b.send(&packet(107, 1, 48_000, &[9; 50]), ours[1]).await;
    until("a hears b, who may use either number", || a.count() == 2).await;
    assert!(a.heard().iter().all(|p| p.header.payload_type == 111));
    assert_eq!(a.heard().iter().map(|p| p.payload[0]).collect::<Vec<_>>(), [8, 9]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_far_end_takes_besides_is_passed_on_and_what_nobody_knows_leaves_no_gap() {
    let node = Node::start();
    let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let wide = Codec { payload_type: 9, name: "G722".into(), clock_rate: 8_000, ..Codec::default() };
    let here = Endpoint { accepts: vec![wide.clone()], ..endpoint("a", Law::A, a.address()) };
    let there = Endpoint { accepts: vec![wide], ..endpoint("b", Law::Mu, b.address()) };
    let ours = node.ready(bridged(1, here, there)).await;
    for (number, payload_type) in (0..).zip([8, 9, 99, 9, 8]) {
        a.send(&packet(payload_type, number, 8_000, &[0xd5; 160]), ours[0]).await;
    }
    until("b hears a", || b.count() == 4).await;
    let heard = b.heard();
    assert_eq!(heard.iter().map(|p| p.header.payload_type).collect::<Vec<_>>(), [0, 9, 9, 0]);
    let first = heard[0].header.sequence;
    assert!((0..4).all(|number| heard[usize::from(number)].header.sequence == first.wrapping_add(number)));
    let silence = g711::encode(Law::Mu, g711::decode(Law::A, 0xd5));
    assert_eq!([heard[0].payload[0], heard[1].payload[0]], [silence, 0xd5], "G.722 is no law");
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_are_read_at_their_clock_and_passed_on_to_who_has_it() {
    let node = Node::start();
    let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let wide = |payload_type, expected| TelephoneEvent { payload_type, clock_rate: 48_000, expected };
    let here = Endpoint {
        codec: opus(111, None),
        events: vec![wide(103, Some(110))],
        ..endpoint("a", Law::A, a.address())
    };
    let there = Endpoint {
        codec: opus(111, None),
        events: vec![wide(97, None)],
        ..endpoint("b", Law::A, b.address())
    };
    let ours = node.ready(bridged(1, here, there)).await;
    let mut sender = Sender::new('5', 100, 48_000).unwrap();
    for number in 0.. {
        let Some(event) = sender.next() else { break };
        let mut bytes = packet(110, number, 0, &event.payload);
        header::set_timestamp(&mut bytes, 48_000);
        a.send(&bytes, ours[0]).await;
    }
    let digit = |fact: &Fact| if let Fact::Digit(digit) = fact { Some(digit.clone()) } else { None };
    let digit = node.fact("a key is reported", digit).await;
    assert_eq!((digit.digit.as_str(), digit.duration_ms), ("5", 100));
    until("b gets all packets of it", || b.count() == 7).await;
    assert!(b.heard().iter().all(|p| p.header.payload_type == 97));
}
