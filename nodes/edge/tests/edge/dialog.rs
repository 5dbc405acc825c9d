//! Messages of calls that stand: routed by what we wrote into them, without a table.

use mangrove_proto::edge::{self, edge_event::Fact, failed::Reason};
use mangrove_sip::Message;

use crate::{
    far_end::request,
    house::{House, leg},
};

fn in_dialog(method: &str, user: &str, phone: &crate::far_end::UdpEnd) -> String {
    let uri = format!("sip:{user}@127.0.0.1");
    request(method, &uri, phone.local(), "UDP", user, "")
        .replace(&format!("To: <{uri}>"), &format!("To: <{uri}>;tag=ours"))
}

#[tokio::test]
async fn requests_find_their_leg_by_our_contact() {
    let house = House::start().await;
    let phone = house.phone().await;
    phone.send(in_dialog("BYE", &format!("acme.{}", leg()), &phone)).await;
    let (event, received, message) = house.control.received(0).await;
    assert_eq!((event.tenant.as_str(), event.leg), ("acme", leg()));
    assert_eq!((received.ingress, message.method().as_str()), (None, "BYE"));
    house.answer(&message, &received.source.unwrap(), 200).await;
    assert_eq!(phone.receive().await.status(), Some(200));
}

#[tokio::test]
async fn options_of_a_dialog_are_its_legs_to_answer() {
    let house = House::start().await;
    let phone = house.phone().await;
    phone.send(in_dialog("OPTIONS", "101", &phone)).await;
    assert_eq!(phone.receive().await.status(), Some(481));
    phone.send(in_dialog("OPTIONS", &format!("acme.{}", leg()), &phone)).await;
    let (event, _, message) = house.control.received(0).await;
    assert_eq!((event.leg, message.method().as_str()), (leg(), "OPTIONS"));
}

#[tokio::test]
async fn requests_with_a_wrong_uri_find_their_leg_by_our_tag() {
    let house = House::start().await;
    let phone = house.phone().await;
    let tag = format!("tag=acme.{}-0123456789abcdef", leg());
    phone.send(in_dialog("BYE", "101", &phone).replace("tag=ours", &tag)).await;
    assert_eq!(house.control.event(0).await.leg, leg());
}

#[tokio::test]
async fn requests_of_no_dialog_of_ours_get_481() {
    let house = House::start().await;
    let phone = house.phone().await;
    for user in ["101".to_owned(), format!("nobody.{}", leg()), "acme.leg_1".to_owned()] {
        phone.send(in_dialog("INVITE", &user, &phone)).await;
        assert_eq!(phone.receive().await.status(), Some(481), "{user}");
    }
    assert_eq!(house.control.count(), 0);
}

#[tokio::test]
async fn our_requests_carry_our_via_and_responses_find_their_leg_by_it() {
    let house = House::start().await;
    let phone = house.phone().await;
    let branch = house.request("INVITE", edge::Transport::Udp, phone.local()).await;
    phone.send(phone.ping("barrier")).await;
    let invite = phone.receive().await;
    assert_eq!(invite.method().as_str(), "INVITE", "the first transmission is not lost");
    assert_eq!(phone.receive().await.call_id(), Some("barrier"));
    let via = invite.top_via().unwrap();
    assert_eq!(via.branch(), Some(branch.as_str()));
    assert_eq!(via.sent_by(), house.edge.contacts()[0].1);
    assert!(via.params.has("rport"));

    let busy = Message::reply_to(&invite, 486).to_bytes();
    phone.send(&busy).await;
    assert_eq!(phone.receive().await.method().as_str(), "ACK");
    let (event, _, message) = house.control.received(0).await;
    assert_eq!((event.leg, message.status()), (leg(), Some(486)));
}

#[tokio::test]
async fn responses_to_requests_of_before_a_restart_are_told_and_others_dropped() {
    let house = House::start().await;
    let phone = house.phone().await;
    let response = |branch: &str, id: &str| {
        format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch={branch}\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:c@d>;tag=2\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        )
    };
    phone.send(response("z9hG4bKstranger", "not ours")).await;
    phone.send(response(&format!("z9hG4bKacme.{}-77", leg()), "ours")).await;
    let (event, _, message) = house.control.received(0).await;
    assert_eq!((event.leg, message.call_id()), (leg(), Some("ours")));
}

#[tokio::test]
async fn a_far_end_that_can_not_be_reached_is_told() {
    let house = House::start().await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let branch = house.request("INVITE", edge::Transport::Tcp, nobody).await;
    let event = house.control.event(0).await;
    let Some(Fact::Failed(failed)) = event.fact else { panic!("{event:?}") };
    assert_eq!(
        (failed.reason(), failed.branch.as_str(), failed.method.as_str()),
        (Reason::TransportFailed, branch.as_str(), "INVITE")
    );
    assert_eq!(event.leg, leg());
}
