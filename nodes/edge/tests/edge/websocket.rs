//! SIP over WebSocket: a browser registers, is called and answers over the connection that it opened, and by no other way.

use std::time::Duration;

use mangrove_edge::websocket::{Frame, LONGEST, Refused};
use mangrove_proto::edge::{self, edge_event::Fact, failed::Reason, ingress::From};
use mangrove_sip::Message;
use tokio::net::TcpListener;

use crate::{
    digest::credentials,
    far_end::Page,
    house::{House, http, leg},
};

const URI: &str = "sip:acme.example";

/// As a browser writes it (RFC 7118 appendix B.1): a made-up host, no Content-Length.
fn request(method: &str, uri: &str, id: &str, more: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK{id}\r\nMax-Forwards: 70\r\n\
         From: <sip:101@acme.example>;tag=theirs\r\nTo: <{uri}>\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:101@df7jal23ls0d.invalid;transport=ws>\r\n{more}\r\n"
    )
}

/// Registers, and gives how control sees its way back; that was its first event.
async fn registered(house: &House, page: &mut Page, password: &str) -> edge::Source {
    page.send(request("REGISTER", URI, "asks", ""));
    let refused = page.receive().await;
    assert_eq!(refused.status(), Some(401));
    let challenge = refused.header("WWW-Authenticate").unwrap();
    page.send(request("REGISTER", URI, "proves", &credentials(challenge, "101", password)));
    let (_, received, message) = house.control.received(0).await;
    assert_eq!(received.ingress.unwrap().from, Some(From::Device("101".into())));
    let source = received.source.unwrap();
    house.answer(&message, &source, 200).await;
    assert_eq!(page.receive().await.status(), Some(200));
    source
}

/// Sends an INVITE over a flow, and gives its branch.
async fn invites(house: &House, source: &edge::Source) -> String {
    let remote = source.remote.parse().unwrap();
    house.request_over(&source.flow, "INVITE", edge::Transport::Ws, remote).await
}

#[tokio::test]
async fn a_browser_registers_with_its_password_and_is_called_over_its_websocket() {
    let house = House::start().await;
    let mut page = house.page(40_000);
    let source = registered(&house, &mut page, "secret").await;
    assert_eq!(source.transport(), edge::Transport::Ws);
    assert_eq!((source.remote, source.local), (page.remote.to_string(), http().to_string()));

    let source = edge::Source { flow: source.flow, remote: page.remote.to_string(), ..Default::default() };
    let branch = invites(&house, &source).await;
    let invite = page.receive().await;
    let via = invite.top_via().unwrap();
    assert_eq!((via.transport.as_str(), via.sent_by()), ("WS", http().to_string()));
    assert_eq!(via.branch(), Some(branch.as_str()));
    for (index, status) in [(1, 180), (2, 200)] {
        page.send(Message::reply_to(&invite, status).to_bytes());
        let (event, _, message) = house.control.received(index).await;
        assert_eq!((event.leg, message.status()), (leg(), Some(status)));
    }
}

#[tokio::test]
async fn a_wrong_password_registers_nobody() {
    let house = House::start().await;
    let mut page = house.page(40_000);
    page.send(request("REGISTER", URI, "asks", ""));
    let challenge = page.receive().await.header("WWW-Authenticate").unwrap().to_owned();
    page.send(request("REGISTER", URI, "guesses", &credentials(&challenge, "101", "guess")));
    assert_eq!(page.receive().await.status(), Some(401));
    assert_eq!(house.control.count(), 0);
}

#[tokio::test]
async fn of_a_websocket_that_closes_its_tenant_hears_and_then_that_what_rang_has_failed() {
    let house = House::start().await;
    let mut page = house.page(40_000);
    let source = registered(&house, &mut page, "secret").await;
    let branch = invites(&house, &source).await;
    let invite = page.receive().await;
    page.send(Message::reply_to(&invite, 180).to_bytes());
    house.control.received(1).await;
    drop(page);
    let event = house.control.event(2).await;
    let Some(Fact::FlowClosed(closed)) = event.fact else { panic!("{event:?}") };
    assert_eq!((event.tenant.as_str(), closed.flow), ("acme", source.flow));
    assert_failed(&house, 3, &branch).await;
}

#[tokio::test]
async fn a_connection_whose_handling_panics_ends_as_one_that_closes() {
    let house = House::start().await;
    let read = |frame: Frame| if frame == Frame::Pong { panic!("as the test wants it") } else { frame };
    let mut page = Page::read_by(&house.edge, 40_000, read).unwrap();
    let source = registered(&house, &mut page, "secret").await;
    let branch = invites(&house, &source).await;
    page.receive().await;
    assert_eq!(house.edge.status().connections, 1);
    page.say(Frame::Pong);
    let event = house.control.event(1).await;
    let Some(Fact::FlowClosed(closed)) = event.fact else { panic!("{event:?}") };
    assert_eq!((event.tenant.as_str(), closed.flow), ("acme", source.flow));
    assert_eq!(house.edge.status().connections, 0, "nothing is left of it in the table");
    assert_failed(&house, 2, &branch).await;
}

async fn assert_failed(house: &House, index: usize, branch: &str) {
    let event = house.control.event(index).await;
    let Some(Fact::Failed(failed)) = event.fact else { panic!("{event:?}") };
    assert_eq!((failed.reason(), failed.branch.as_str()), (Reason::TransportFailed, branch));
    assert_eq!(event.leg, leg());
}

#[tokio::test]
async fn without_its_websocket_nothing_is_sent_and_nobody_connected_to() {
    let house = House::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let remote = listener.local_addr().unwrap().to_string();
    let over = |flow: &str| edge::Source { flow: flow.into(), remote: remote.clone(), ..Default::default() };
    let branch = invites(&house, &over("b-8-1")).await;
    assert_failed(&house, 0, &branch).await;
    let branch = invites(&house, &over("a-8-1")).await;
    let event = house.control.event(1).await;
    let Some(Fact::FlowClosed(closed)) = event.fact else { panic!("{event:?}") };
    assert_eq!(closed.flow, "a-8-1", "of a former run of this edge: told again");
    assert_failed(&house, 2, &branch).await;
    let asked = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(asked.is_err(), "it was connected to");
}

#[tokio::test]
async fn nobody_is_a_trunk_by_the_address_of_a_proxy() {
    let house = House::start().await;
    house.routes.trunks.lock().push("127.0.0.1:5060".parse().unwrap());
    let mut page = house.page(40_000);
    page.send(request("INVITE", "sip:74951234567@acme.example", "call", ""));
    assert_eq!(page.receive().await.status(), Some(401));
    assert_eq!(house.control.count(), 0);
}

#[tokio::test]
async fn keep_alives_of_line_breaks_are_answered_and_pings_are_no_messages() {
    let house = House::start().await;
    let mut page = house.page(40_000);
    page.say(Frame::Ping);
    page.send("\r\n");
    page.send("\r\n\r\n");
    assert_eq!(page.frame().await, Some(Frame::Message("\r\n".into())));
}

#[tokio::test]
async fn junk_is_dropped_or_answered_and_the_next_message_is_taken() {
    let house = House::start().await;
    let mut page = house.page(40_000);
    page.send("hello");
    page.send([0xff, 0x00, 0x80]);
    page.send(request("OPTIONS", URI, "cut", "Content-Length: 5\r\n"));
    assert_eq!(page.receive().await.status(), Some(400));
    page.send(request("OPTIONS", URI, "whole", ""));
    let answer = page.receive().await;
    assert_eq!((answer.status(), answer.call_id()), (Some(200), Some("whole")));
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_it() {
    let house = House::start().await;
    let mut page = house.page(40_000);
    page.send(vec![b'x'; LONGEST + 1]);
    assert_eq!(page.frame().await, Some(Frame::Close(1009)));
    assert_eq!(page.frame().await, None);
}

#[tokio::test]
async fn a_browser_that_answers_no_ping_is_gone() {
    let house = House::with(|limits| limits.ping_time = Duration::from_millis(200)).await;
    let mut page = house.page(40_000);
    let source = registered(&house, &mut page, "secret").await;
    for _ in 0..3 {
        assert_eq!(page.frame().await, Some(Frame::Ping));
        page.say(Frame::Pong);
    }
    assert_eq!(page.frame().await, Some(Frame::Ping));
    assert_eq!(page.frame().await, None, "without a word: nobody hears it");
    let event = house.control.event(1).await;
    let Some(Fact::FlowClosed(closed)) = event.fact else { panic!("{event:?}") };
    assert_eq!(closed.flow, source.flow);
}

#[tokio::test]
async fn a_stranger_buys_no_time_with_pings() {
    let house = House::with(|limits| limits.message_time = Duration::from_millis(300)).await;
    let mut page = house.page(40_000);
    page.say(Frame::Ping);
    assert_eq!(page.frame().await, Some(Frame::Close(1008)));
    assert_eq!(page.frame().await, None);
}

#[tokio::test]
async fn seats_are_counted_and_given_back() {
    let house = House::with(|limits| limits.websockets_per_source = 1).await;
    drop(house.edge.accept_websocket(([127, 0, 0, 1], 40_000).into(), http(), true).unwrap());
    let page = house.page(40_001);
    assert_eq!(Page::open(&house.edge, 40_002).err(), Some(Refused::Source));
    drop(page);
    let wait = async {
        while house.edge.status().connections > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
    house.page(40_003);
}

#[tokio::test]
async fn an_edge_that_goes_takes_no_more_and_says_goodbye() {
    let house = House::start().await;
    let mut page = house.page(40_000);
    house.edge.drain();
    assert_eq!(Page::open(&house.edge, 40_001).err(), Some(Refused::Leaving));
    house.edge.shutdown().await;
    assert_eq!(page.frame().await, Some(Frame::Close(1001)));
    assert_eq!(page.frame().await, None);
}
