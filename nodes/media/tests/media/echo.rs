//! Who hears themselves.

use std::time::{Duration, Instant};

use mangrove_proto::media::{Echo, Endpoint, endpoint::Hears};
use mangrove_rtp::g711::Law;

use crate::{
    phone::{Phone, packet},
    support::*,
};

const DELAY: Duration = Duration::from_millis(200);

fn echoing(endpoint: Endpoint) -> Endpoint {
    let delay_ms = DELAY.as_millis() as u32;
    Endpoint { hears: Some(Hears::Echo(Echo { delay_ms })), ..endpoint }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_says_comes_back_as_it_was_and_later() {
    let node = Node::start();
    let a = Phone::new("127.0.0.1", Law::A).await;
    let ours = node.ready(session(1, vec![echoing(endpoint("a", Law::A, a.address()))])).await;
    let began = Instant::now();
    let said: Vec<Vec<u8>> = (0..5).map(|number| packet(Law::A, 440.0, number, 1)).collect();
    for one in &said {
        a.send(one, ours[0]).await;
    }
    until("all of it is heard", || a.count() == said.len()).await;
    assert!(began.elapsed() >= DELAY, "after {:?}", began.elapsed());
    let heard = a.heard();
    for (one, heard) in said.iter().zip(&heard) {
        assert_eq!(heard.payload, one[12..], "byte for byte");
        assert_eq!((heard.header.payload_type, heard.from), (8, ours[0]));
    }
    for pair in heard.windows(2) {
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
    }
    assert_ne!(heard[0].header.ssrc, 1, "it is a stream of ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_left_out_and_leave_no_gap() {
    let node = Node::start();
    let a = Phone::new("127.0.0.1", Law::A).await;
    let ours = node.ready(session(1, vec![echoing(endpoint("a", Law::A, a.address()))])).await;
    for number in 0..4 {
        let mut one = packet(Law::A, 440.0, number, 1);
        if number == 1 {
            one.truncate(12);
            one[1] = 101;
            one.extend([5, 0x80, 3, 0x20]);
        }
        a.send(&one, ours[0]).await;
    }
    until("the sound is heard", || a.count() == 3).await;
    let heard = a.heard();
    assert!(heard.iter().all(|one| one.header.payload_type == 8));
    for pair in heard.windows(2) {
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_asked_for_again_goes_on_and_one_that_changes_ends_it() {
    let node = Node::start();
    let mut a = Phone::new("127.0.0.1", Law::A).await;
    let own = || endpoint("a", Law::A, a.address());
    let (first, again, silent) =
        (session(1, vec![echoing(own())]), session(2, vec![echoing(own())]), session(3, vec![own()]));
    let ours = node.ready(first).await;
    a.talk(ours[0], 440.0);
    until("it is heard", || a.count() > 5).await;
    node.ready(again).await;
    let before = a.count();
    until("it is heard still", || a.count() > before + 5).await;
    assert_eq!(a.heard().iter().filter(|one| one.header.marker).count(), 1, "one stretch of sound");
    node.ready(silent).await;
    let sent = a.sent();
    until("it talked on", || a.sent() > sent + 5).await;
    let heard = a.count();
    let sent = a.sent();
    until("it talked on", || a.sent() > sent + 15).await;
    assert_eq!(a.count(), heard);
}
