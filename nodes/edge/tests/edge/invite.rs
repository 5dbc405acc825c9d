//! New calls: who may make them, and that each is told once.

use std::sync::atomic::Ordering;

use mangrove_proto::edge::ingress::From;

use crate::{far_end::request, house::House};

#[tokio::test]
async fn a_trunks_invite_is_told_once_however_often_it_comes() {
    let house = House::start().await;
    let carrier = house.carrier().await;
    let invite = carrier.invite("call-1");
    for _ in 0..3 {
        carrier.send(&invite).await;
    }
    carrier.hears_nothing("still-silent").await;
    let (event, received, message) = house.control.received(0).await;
    assert_eq!((event.sequence, event.tenant.as_str(), event.leg.as_str()), (1, "acme", ""));
    assert_eq!(received.ingress.unwrap().from, Some(From::Trunk("carrier".into())));
    let via = message.top_via().unwrap();
    assert_eq!(via.rport(), Some(carrier.local().port()));
    assert_eq!(house.edge.status().unanswered_invites, 1);

    let source = received.source.unwrap();
    house.answer(&message, &source, 100).await;
    assert_eq!(carrier.receive().await.status(), Some(100));
    carrier.send(&invite).await;
    assert_eq!(carrier.receive().await.status(), Some(100), "a repetition gets the last answer");
    assert_eq!(house.edge.status().unanswered_invites, 0);
    assert_eq!(house.control.count(), 1);
}

#[tokio::test]
async fn a_2xx_is_repeated_until_its_ack_which_is_told_with_its_leg() {
    let house = House::start().await;
    let carrier = house.carrier().await;
    carrier.send(carrier.invite("call-1")).await;
    let (_, received, message) = house.control.received(0).await;
    house.answer(&message, &received.source.unwrap(), 200).await;
    let first = carrier.receive().await;
    assert_eq!(first.status(), Some(200));
    assert_eq!(carrier.receive().await, first, "no ACK came, so it is repeated");

    let uri = first.contact().unwrap().unwrap().uri;
    let ack = request("ACK", &uri.to_string(), carrier.local(), "UDP", "call-1", "")
        .replace("z9hG4bK", "z9hG4bKack");
    carrier.send(&ack).await;
    carrier.send(&ack).await;
    let (event, _, message) = house.control.received(1).await;
    assert_eq!((event.leg, message.method().as_str()), (crate::house::leg(), "ACK"));
    carrier.hears_nothing("done").await;
    assert_eq!(house.control.count(), 2, "the second ACK says nothing new");
}

#[tokio::test]
async fn without_a_leader_the_edge_is_silent_and_tells_later() {
    let house = House::start().await;
    house.control.leaderless.store(true, Ordering::SeqCst);
    let carrier = house.carrier().await;
    let invite = carrier.invite("call-1");
    carrier.send(&invite).await;
    house.control.deliveries(2).await;
    carrier.send(&invite).await;
    carrier.hears_nothing("silent").await;
    assert_eq!(house.edge.status().waiting_events, 1);
    house.control.leaderless.store(false, Ordering::SeqCst);
    let (event, ..) = house.control.received(0).await;
    assert_eq!(event.sequence, 1);
    assert_eq!(house.control.count(), 1);
}

#[tokio::test]
async fn an_invite_that_is_to_take_a_dialogs_place_is_told_as_any_other() {
    let house = House::start().await;
    let carrier = house.carrier().await;
    let more = "Require: replaces\r\nReplaces: a@b;to-tag=1;from-tag=2\r\n";
    let called = "sip:74951234567@acme.example";
    carrier.send(request("INVITE", called, carrier.local(), "UDP", "call-1", more)).await;
    let (event, _, message) = house.control.received(0).await;
    assert_eq!((event.leg.as_str(), message.header("Replaces")), ("", Some("a@b;to-tag=1;from-tag=2")));
}

#[tokio::test]
async fn strangers_get_no_further() {
    let house = House::start().await;
    let (carrier, stranger) = (house.carrier().await, house.phone().await);
    let unknown = |end: &crate::far_end::UdpEnd, uri: &str, id: &str| {
        request("INVITE", uri, end.local(), "UDP", id, "")
            .replace("<sip:101@acme.example>;tag", "<sip:x@nowhere>;tag")
    };
    for (end, uri, id, status) in [
        (&carrier, "sip:74950000000@nowhere", "nobodys-number", 404),
        (&stranger, "sip:74951234567@nowhere", "from-a-stranger", 404),
        (&stranger, "sip:102@acme.example", "without-a-password", 401),
    ] {
        end.send(unknown(end, uri, id)).await;
        assert_eq!(end.receive().await.status(), Some(status), "{id}");
    }
    assert_eq!(house.control.count(), 0);
    assert_eq!(house.edge.status().transactions, 0, "refusals cost no memory");
}
