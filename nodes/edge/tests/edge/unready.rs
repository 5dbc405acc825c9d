//! Until an edge has heard of all tenants, one that it does not know may exist: nobody is told that it does not.

use std::sync::atomic::Ordering;

use mangrove_edge::Transport;

use crate::{
    far_end::{TcpEnd, in_dialog},
    house::House,
};

/// The same to a tenant that is nowhere to be found.
fn to_nobody(request: &str) -> String {
    request.replace("acme", "bolt").replace("74951234567", "78121234567")
}

#[tokio::test]
async fn a_datagram_to_somebody_unknown_is_left_to_come_again() {
    let house = House::start().await;
    let carrier = house.carrier().await;
    let invite = to_nobody(&carrier.invite("new"));
    let bye = to_nobody(&in_dialog("BYE", carrier.local(), "UDP", "old"));
    house.routes.unready.store(true, Ordering::SeqCst);
    for request in [&invite, &bye] {
        carrier.send(request).await;
    }
    carrier.send(carrier.ping("probe")).await;
    let answer = carrier.receive().await;
    assert_eq!((answer.call_id(), answer.status()), (Some("probe"), Some(503)), "the first to be answered");

    house.routes.unready.store(false, Ordering::SeqCst);
    for (request, status) in [(&invite, 404), (&bye, 481)] {
        carrier.send(request).await;
        assert_eq!(carrier.receive().await.status(), Some(status));
    }
}

#[tokio::test]
async fn over_a_connection_it_is_told_to_come_again() {
    let house = House::start().await;
    house.routes.unready.store(true, Ordering::SeqCst);
    let mut phone = TcpEnd::connect(house.address(Transport::Tcp)).await;
    let register = phone.request("REGISTER", "sip:bolt.example", "new", "");
    phone.send(to_nobody(&register)).await;
    let answer = phone.receive().await;
    assert_eq!(answer.status(), Some(503));
    assert!(answer.u32_of("Retry-After").is_some_and(|seconds| seconds > 0));
}

#[tokio::test]
async fn whoever_is_known_is_served() {
    let house = House::start().await;
    let carrier = house.carrier().await;
    house.routes.unready.store(true, Ordering::SeqCst);
    carrier.send(carrier.invite("new")).await;
    assert_eq!(house.control.received(0).await.2.call_id(), Some("new"));
    let phone = house.phone().await;
    phone.send(carrier.invite("internal").replace("74951234567", "102")).await;
    assert_eq!(phone.receive().await.status(), Some(401));
}
