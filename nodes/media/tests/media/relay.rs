//! Two people hear each other.

use std::time::Duration;

use mangrove_proto::media::{Endpoint, media_event::Fact};
use mangrove_rtp::{g711::Law, rtcp};

use crate::{
    phone::{Phone, packet},
    support::*,
};

#[tokio::test(flavor = "multi_thread")]
async fn both_hear_the_other_in_their_own_law() {
    let node = Node::start();
    let (mut a, mut b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::Mu).await);
    let set = bridged(1, endpoint("a", Law::A, a.address()), endpoint("b", Law::Mu, b.address()));
    let ours = node.ready(set).await;
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("both hear the other's tone", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
    assert!(a.heard().iter().all(|p| p.header.payload_type == 8 && p.from == ours[0]));
    assert!(b.heard().iter().all(|p| p.header.payload_type == 0 && p.from == ours[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn payload_types_of_their_own_are_mapped() {
    let node = Node::start();
    let (mut a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let mut there = endpoint("b", Law::A, b.address());
    there.codec.as_mut().unwrap().payload_type = 97;
    let ours = node.ready(bridged(1, endpoint("a", Law::A, a.address()), there)).await;
    a.talk(ours[0], 440.0);
    until("b hears a", || b.hears(440.0, 1000.0)).await;
    assert!(b.heard().iter().all(|p| p.header.payload_type == 97));
}

/// What is counted when it has stood still for as long as ten packets take.
async fn nothing_more(count: impl Fn() -> (usize, usize)) -> (usize, usize) {
    loop {
        let before = count();
        tokio::time::sleep(Duration::from_millis(200)).await;
        if count() == before {
            return before;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_on_hold_hears_nothing_and_is_not_heard() {
    let node = Node::start();
    let (mut a, mut b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let (ea, eb) = (endpoint("a", Law::A, a.address()), endpoint("b", Law::A, b.address()));
    let ours = node.ready(bridged(1, ea.clone(), eb.clone())).await;
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("both hear", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;

    let held = Endpoint { send: false, receive: false, ..eb.clone() };
    node.ready(bridged(2, ea.clone(), held)).await;
    // What was on its way when the command came still arrives.
    let heard = nothing_more(|| (a.count(), b.count())).await;
    let talked = (a.sent(), b.sent());
    until("both talked on", || a.sent() > talked.0 + 25 && b.sent() > talked.1 + 25).await;
    let held = (a.count(), b.count());
    assert_eq!(held, heard);

    node.ready(bridged(3, ea, eb)).await;
    until("both hear again", || a.count() > held.0 + 25 && b.count() > held.1 + 25).await;
    for phone in [&a, &b] {
        let heard = phone.heard();
        for pair in heard.windows(2) {
            let [one, next] = [&pair[0].header, &pair[1].header];
            assert_eq!(next.sequence, one.sequence.wrapping_add(1), "what was held back is no loss");
        }
        assert_eq!(heard.iter().filter(|p| p.header.marker).count(), 2, "a talkspurt before and one after");
        let shown = heard[heard.len() - 1].header.timestamp.wrapping_sub(heard[0].header.timestamp);
        assert!(shown as usize > (heard.len() + 20) * 160, "the pause took its time: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_come_at_the_end() {
    let node = Node::start();
    let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let set = bridged(1, endpoint("a", Law::A, a.address()), endpoint("b", Law::A, b.address()));
    let ours = node.ready(set).await;
    for number in [0, 1, 2, 4, 5, 8, 9] {
        a.send(&packet(Law::A, 440.0, number, 1), ours[0]).await;
    }
    until("b heard all", || b.count() == 7).await;
    assert!(node.ready(close(2)).await.is_empty());
    let counters = |id: &'static str| {
        move |fact: &Fact| match fact {
            Fact::Counters(c) if c.endpoint == id => {
                Some((c.packets_received, c.packets_sent, c.packets_lost))
            }
            _ => None,
        }
    };
    assert_eq!(node.fact("a was counted", counters("a")).await, (7, 0, 3));
    assert_eq!(node.fact("b was counted", counters("b")).await, (0, 7, 0));
    assert_eq!(node.media.load(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_reported_where_sound_is_expected() {
    let node = Node::start_with(std::sync::Arc::new(object_store::memory::InMemory::new()), |options| {
        options.silence = Duration::from_secs(2);
    });
    let (mut a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let deaf = Endpoint { receive: false, ..endpoint("c", Law::A, b.address()) };
    let set = session(1, vec![endpoint("a", Law::A, a.address()), endpoint("b", Law::A, b.address()), deaf]);
    let ours = node.ready(set).await;
    a.talk(ours[0], 440.0);
    let silent = |fact: &Fact| match fact {
        Fact::Silent(silent) => Some((silent.endpoint.clone(), silent.since_ms)),
        _ => None,
    };
    let reports = || node.facts().iter().filter_map(silent).collect::<Vec<_>>();
    until("silence is reported twice", || reports().len() >= 2).await;
    assert!(reports().iter().all(|(endpoint, _)| endpoint == "b"), "{:?}", reports());
    assert!(reports()[0].1 >= 2_000 && reports()[1].1 > reports()[0].1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_tell_what_was_sent_and_heard() {
    let node = Node::start();
    let mut a = Phone::new("127.0.0.1", Law::A).await;
    // The phone's RTCP is on the port above its RTP, where a free one may have to be found first.
    let reports = loop {
        match tokio::net::UdpSocket::bind(("127.0.0.1", a.address().port() + 1)).await {
            Ok(socket) => break socket,
            Err(_) => a = Phone::new("127.0.0.1", Law::A).await,
        }
    };
    let set = session(1, vec![playing(endpoint("a", Law::A, a.address()), "p", &["music/default"], true)]);
    let ours = node.ready(set).await;
    a.talk(ours[0], 440.0);
    let mut buffer = [0; 1500];
    let read = tokio::time::timeout(Duration::from_secs(15), reports.recv(&mut buffer)).await;
    let packets = rtcp::read(&buffer[..read.unwrap().unwrap()]).unwrap();
    let rtcp::Packet::SenderReport(report, blocks) = &packets[0] else { panic!("{packets:?}") };
    assert_eq!(report.ssrc, a.heard()[0].header.ssrc);
    assert!(report.packets > 50 && report.octets == report.packets * 160);
    assert_eq!((blocks[0].ssrc, blocks[0].lost), (ours[0].port().into(), 0));
}
