//! CANCEL is answered at once, and told as its INVITE was.

use mangrove_proto::edge::ingress::From;

use crate::{
    far_end::{in_dialog, request},
    house::{House, leg},
};

#[tokio::test]
async fn a_cancel_is_answered_and_told_like_its_invite() {
    let house = House::start().await;
    let carrier = house.carrier().await;
    let invite = carrier.invite("call-1");
    carrier.send(&invite).await;
    let (_, received, message) = house.control.received(0).await;
    let source = received.source.unwrap();
    house.answer(&message, &source, 180).await;
    assert_eq!(carrier.receive().await.status(), Some(180));

    carrier.send(invite.replace("INVITE", "CANCEL")).await;
    let answer = carrier.receive().await;
    assert_eq!((answer.status(), answer.method().as_str()), (Some(200), "CANCEL"));
    assert_eq!(answer.to_tag(), Some("ours"), "the tag of the INVITE's answers");
    let (event, received, cancel) = house.control.received(1).await;
    assert_eq!((event.leg.as_str(), cancel.method().as_str()), ("", "CANCEL"));
    assert_eq!(received.ingress.unwrap().from, Some(From::Trunk("carrier".into())));

    house.answer(&message, &source, 487).await;
    assert_eq!(carrier.receive().await.status(), Some(487));
}

#[tokio::test]
async fn a_cancel_of_a_change_is_told_to_its_leg() {
    let house = House::start().await;
    let phone = house.phone().await;
    let change = in_dialog("INVITE", phone.local(), "UDP", "change");
    phone.send(&change).await;
    assert_eq!(house.control.event(0).await.leg, leg());
    assert_eq!(house.edge.status().unanswered_invites, 0, "no call begins");

    phone.send(change.replace("INVITE", "CANCEL")).await;
    let answer = phone.receive().await;
    assert_eq!((answer.status(), answer.to_tag()), (Some(200), Some("ours")));
    let (event, received, cancel) = house.control.received(1).await;
    assert_eq!((event.leg, received.ingress, cancel.method().as_str()), (leg(), None, "CANCEL"));
}

#[tokio::test]
async fn a_cancel_of_nothing_gets_481() {
    let house = House::start().await;
    let carrier = house.carrier().await;
    carrier
        .send(request("CANCEL", "sip:74951234567@acme.example", carrier.local(), "UDP", "never", ""))
        .await;
    assert_eq!(carrier.receive().await.status(), Some(481));
    assert_eq!(house.control.count(), 0);
}
