//! Connections: framing, keep-alives, flows and their end, limits.

use std::time::Duration;

use mangrove_edge::Transport;
use mangrove_proto::edge::{self, edge_event::Fact, ingress::From};
use mangrove_sip::wire::Frame;
use tokio::net::TcpListener;

use crate::{
    far_end::{TcpEnd, in_dialog, request},
    house::House,
};

#[tokio::test]
async fn messages_arrive_in_pieces_and_in_heaps() {
    let house = House::start().await;
    let mut client = TcpEnd::connect(house.address(Transport::Tcp)).await;
    let message = client.request("OPTIONS", "sip:acme.example", "pieces", "");
    for byte in message.as_bytes() {
        client.send([*byte]).await;
    }
    assert_eq!(client.receive().await.call_id(), Some("pieces"));

    let heap: String =
        (0..50).map(|id| client.request("OPTIONS", "sip:acme.example", &id.to_string(), "")).collect();
    client.send(heap).await;
    for id in 0..50 {
        assert_eq!(client.receive().await.call_id(), Some(id.to_string().as_str()));
    }
}

#[tokio::test]
async fn a_ping_gets_a_pong() {
    let house = House::start().await;
    let mut client = TcpEnd::connect(house.address(Transport::Tcp)).await;
    client.send("\r\n\r\n").await;
    assert_eq!(client.frame().await, Some(Frame::Pong));
    client.send(client.request("OPTIONS", "sip:acme.example", "1", "")).await;
    assert_eq!(client.receive().await.status(), Some(200));
}

/// A BYE of a leg of ours: passed without a password.
fn bye(client: &TcpEnd) -> String {
    in_dialog("BYE", client.local(), "TCP", "bye")
}

#[tokio::test]
async fn answers_go_back_over_the_flow_and_its_end_is_told() {
    let house = House::start().await;
    let mut client = TcpEnd::connect(house.address(Transport::Tcp)).await;
    client.send(bye(&client)).await;
    let (_, received, message) = house.control.received(0).await;
    let source = received.source.unwrap();
    assert!(!source.flow.is_empty());
    house.answer(&message, &source, 200).await;
    assert_eq!(client.receive().await.status(), Some(200));
    drop(client);
    let event = house.control.event(1).await;
    let Some(Fact::FlowClosed(closed)) = event.fact else { panic!("{event:?}") };
    assert_eq!((event.tenant.as_str(), closed.flow), ("acme", source.flow));
}

#[tokio::test]
async fn without_its_flow_a_request_goes_to_the_address_beside_it() {
    let house = House::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let branch = house.request_over("a-8-1", "BYE", edge::Transport::Tcp, to).await;
    let bye = TcpEnd::accept(&listener).await.receive().await;
    assert_eq!((bye.method().as_str(), bye.branch()), ("BYE", Some(branch)));
}

#[tokio::test]
async fn without_its_flow_a_response_goes_to_the_sender_and_never_where_its_via_points() {
    let house = House::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let victim = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let mut client = TcpEnd::connect(house.address(Transport::Tcp)).await;
    client.send(in_dialog("BYE", victim.local_addr().unwrap(), "TCP", "bye")).await;
    let (_, received, message) = house.control.received(0).await;
    drop(client);
    house.control.event(1).await;
    house.answer(&message, &received.source.unwrap(), 200).await;
    assert_eq!(TcpEnd::accept(&listener).await.receive().await.status(), Some(200));
    let unasked = tokio::time::timeout(Duration::ZERO, victim.accept()).await;
    assert!(unasked.is_err(), "somebody else was connected to");
}

#[tokio::test]
async fn naming_a_leg_earns_a_connection_no_trust_and_calling_does() {
    let house = House::with(|limits| limits.idle_time = Duration::from_millis(400)).await;
    let _trunk = house.carrier().await;
    let mut caller = TcpEnd::connect(house.address(Transport::Tcp)).await;
    caller.send(request("INVITE", "sip:74951234567@acme.example", caller.local(), "TCP", "call", "")).await;
    house.control.event(0).await;
    let mut stranger = TcpEnd::connect(house.address(Transport::Tcp)).await;
    stranger.send(bye(&stranger)).await;
    house.control.event(1).await;
    assert_eq!(stranger.frame().await, None, "closed for its silence");
    caller.send("\r\n\r\n").await;
    assert_eq!(caller.frame().await, Some(Frame::Pong), "as silent, and for longer");
}

#[tokio::test]
async fn a_trunk_known_by_its_port_calls_from_any_port_over_tcp() {
    let house = House::start().await;
    house.routes.trunks.lock().push("127.0.0.1:5060".parse().unwrap());
    let call = |from, transport| {
        request("INVITE", "sip:74951234567@nowhere", from, transport, transport, "")
            .replace("<sip:101@acme.example>;tag", "<sip:x@nowhere>;tag")
    };
    let stranger = house.phone().await;
    stranger.send(call(stranger.local(), "UDP")).await;
    assert_eq!(stranger.receive().await.status(), Some(404), "over UDP the port counts");
    let mut trunk = TcpEnd::connect(house.address(Transport::Tcp)).await;
    trunk.send(call(trunk.local(), "TCP")).await;
    let (_, received, _) = house.control.received(0).await;
    assert_eq!(received.ingress.unwrap().from, Some(From::Trunk("carrier".into())));
}

#[tokio::test]
async fn a_message_that_trickles_in_ends_the_connection() {
    let house = House::with(|limits| limits.message_time = Duration::from_millis(200)).await;
    let mut client = TcpEnd::connect(house.address(Transport::Tcp)).await;
    client.send("OPTIONS sip:acme.example SIP/2.0\r\nVia: ").await;
    assert_eq!(client.frame().await, None, "closed");
}

#[tokio::test]
async fn a_connection_that_says_nothing_acceptable_ends() {
    let house = House::with(|limits| {
        limits.message_time = Duration::from_millis(400);
        limits.idle_time = Duration::from_millis(400);
    })
    .await;
    let mut pinger = TcpEnd::connect(house.address(Transport::Tcp)).await;
    pinger.send("\r\n\r\n").await;
    assert_eq!(pinger.frame().await, Some(Frame::Pong));
    assert_eq!(pinger.frame().await, None, "pings alone buy no time");

    let mut prober = TcpEnd::connect(house.address(Transport::Tcp)).await;
    prober.send(prober.request("OPTIONS", "sip:acme.example", "1", "")).await;
    assert_eq!(prober.receive().await.status(), Some(200));
    assert_eq!(prober.frame().await, None, "silence after a probe");
}

#[tokio::test]
async fn one_address_gets_its_share_of_connections() {
    let house = House::with(|limits| limits.connections_per_source = 2).await;
    let address = house.address(Transport::Tcp);
    let mut kept = vec![TcpEnd::connect(address).await, TcpEnd::connect(address).await];
    for client in &mut kept {
        client.send("\r\n\r\n").await;
        assert_eq!(client.frame().await, Some(Frame::Pong));
    }
    assert_eq!(TcpEnd::connect(address).await.frame().await, None, "one too many");
    drop(kept.pop());
    let wait = async {
        while house.edge.status().connections > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
    let mut next = TcpEnd::connect(address).await;
    next.send("\r\n\r\n").await;
    assert_eq!(next.frame().await, Some(Frame::Pong));
}

#[tokio::test]
async fn lost_framing_is_answered_and_ends_the_connection() {
    let house = House::start().await;
    let mut client = TcpEnd::connect(house.address(Transport::Tcp)).await;
    let message = client.request("OPTIONS", "sip:acme.example", "1", "").replace("Length: 0", "Length: -1");
    client.send(message).await;
    assert_eq!(client.receive().await.status(), Some(400));
    assert_eq!(client.frame().await, None, "closed");
}
