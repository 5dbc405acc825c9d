//! Keys that are codes for control: reported as such, heard by nobody; all others are heard, held back or not.

use mangrove_proto::media::{Endpoint, media_event::Fact};
use mangrove_rtp::{digit, g711::Law};

use crate::{digits::press, phone::Phone, support::*};

/// The keys that a phone has heard to their end.
fn heard(phone: &Phone) -> String {
    let mut receiver = digit::Receiver::default();
    let events = phone.heard().into_iter().filter(|heard| heard.header.payload_type == 101);
    let keys = events.flat_map(|event| receiver.receive(event.header.timestamp, 8_000, &event.payload, 0));
    keys.map(|digit| digit.key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_reported_and_heard_by_nobody_and_other_keys_are_heard() {
    let node = Node::start();
    let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let here = Endpoint { codes: vec!["*1".into()], ..endpoint("a", Law::A, a.address()) };
    let ours = node.ready(bridged(1, here, endpoint("b", Law::A, b.address()))).await;
    let pressed = || node.facts().iter().filter(|fact| matches!(fact, Fact::Digit(_))).count();
    for (place, key) in (1_u16..).zip("*15*3".chars()) {
        for bytes in press(key, 101, place * 20, u32::from(place) * 8_000) {
            a.send(&bytes, ours[0]).await;
        }
        until("the key is reported", || pressed() == usize::from(place)).await;
    }
    until("the others are heard, in their order", || heard(&b) == "5*3").await;
    let code = |fact: &Fact| if let Fact::KeyCode(code) = fact { Some(code.code.clone()) } else { None };
    let codes: Vec<String> = node.facts().iter().filter_map(code).collect();
    assert_eq!(codes, ["*1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_told_to_nobody_of_those_who_hear_its_presser_beside_others_and_other_keys_to_all() {
    let node = Node::start();
    let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let c = Phone::new("127.0.0.1", Law::A).await;
    let here = Endpoint { codes: vec!["*1".into()], ..endpoint("a", Law::A, a.address()) };
    let endpoints = vec![
        mixing(here, &["b", "c"]),
        mixing(endpoint("b", Law::A, b.address()), &["a", "c"]),
        mixing(endpoint("c", Law::A, c.address()), &["a", "b"]),
    ];
    let ours = node.ready(session(1, endpoints)).await;
    let pressed = || node.facts().iter().filter(|fact| matches!(fact, Fact::Digit(_))).count();
    for (place, key) in (1_u16..).zip("*15*3".chars()) {
        for bytes in press(key, 101, place * 20, u32::from(place) * 8_000) {
            a.send(&bytes, ours[0]).await;
        }
        until("the key is reported", || pressed() == usize::from(place)).await;
    }
    let hear = || [&b, &c].iter().all(|phone| heard(phone) == "5*3");
    until("both hear the others, in their order", hear).await;
    let is_code = |fact: &Fact| matches!(fact, Fact::KeyCode(code) if code.code == "*1");
    assert_eq!(node.facts().iter().filter(|fact| is_code(fact)).count(), 1);
}
