//! Pages that come with a ticket: they need no password for what is their person's, and get nothing else by it.

use std::{
    net::SocketAddr,
    sync::atomic::Ordering,
    time::{SystemTime, UNIX_EPOCH},
};

use mangrove_edge::websocket::Refused;
use mangrove_proto::edge::{self, ingress::From};
use mangrove_sip::ticket::{Holder, LIFETIME_MS, Tickets};

use crate::{
    fake::NONCE_KEY,
    far_end::Page,
    house::{House, http},
};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

fn ticket_of(tenant: &str, key: [u8; 32], made_at: u64) -> String {
    let holder = Holder { tenant: tenant.into(), employee: "anna".into(), epoch: 7 };
    Tickets::under(&key).unwrap().issue(&holder, made_at)
}

fn ticket() -> String {
    ticket_of("acme", NONCE_KEY, now())
}

/// The port of a page, of which each has another.
fn remote(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn refused(house: &House, ticket: &str) -> Option<Refused> {
    house.edge.accept_page(remote(40_000), http(), false, ticket).err()
}

fn request(method: &str, uri: &str, from: &str, to: &str) -> String {
    let id = format!("{method}-{}", from.replace('@', "-"));
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK{id}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{from}>;tag=theirs\r\nTo: <sip:{to}>\r\nCall-ID: {id}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:101@df7jal23ls0d.invalid;transport=ws>\r\n\r\n"
    )
}

#[tokio::test]
async fn a_page_with_a_ticket_registers_and_calls_without_a_password() {
    let house = House::start().await;
    let mut page = Page::with_ticket(&house.edge, 40_000, &ticket()).unwrap();
    let wanted = Some(From::Page(edge::Page { employee: "anna".into(), epoch: 7 }));
    page.send(request("REGISTER", "sip:acme.example", "101@acme.example", "101@acme.example"));
    let (_, received, message) = house.control.received(0).await;
    assert_eq!(received.ingress.unwrap().from, wanted);
    house.answer(&message, &received.source.unwrap(), 200).await;
    assert_eq!(page.receive().await.status(), Some(200), "and no 401 before it");
    page.send(request("INVITE", "sip:102@acme.example", "101@acme.example", "102@acme.example"));
    let (event, received, _) = house.control.received(1).await;
    assert_eq!((event.tenant.as_str(), received.ingress.unwrap().from), ("acme", wanted));
}

#[tokio::test]
async fn it_acts_in_no_other_companys_name() {
    let house = House::start().await;
    let mut page = Page::with_ticket(&house.edge, 40_000, &ticket()).unwrap();
    page.send(request("REGISTER", "sip:acme.example", "101@acme.example", "101@other.example"));
    assert_eq!(page.receive().await.status(), Some(403));
    page.send(request("INVITE", "sip:102@acme.example", "101@other.example", "102@acme.example"));
    assert_eq!(page.receive().await.status(), Some(403));
    let gone = ticket_of("gone", NONCE_KEY, now());
    let mut page = Page::with_ticket(&house.edge, 40_001, &gone).unwrap();
    page.send(request("REGISTER", "sip:acme.example", "101@acme.example", "101@acme.example"));
    assert_eq!(page.receive().await.status(), Some(403));
    assert_eq!(house.control.count(), 0);
}

#[tokio::test]
async fn without_one_a_page_is_asked_for_its_password() {
    let house = House::start().await;
    let mut page = house.page(40_000);
    page.send(request("REGISTER", "sip:acme.example", "101@acme.example", "101@acme.example"));
    assert_eq!(page.receive().await.status(), Some(401));
}

#[tokio::test]
async fn tickets_that_are_old_or_made_up_are_refused() {
    let house = House::start().await;
    for wrong in [
        ticket_of("acme", NONCE_KEY, now() - LIFETIME_MS - 1_000),
        ticket_of("acme", NONCE_KEY, now() + LIFETIME_MS),
        ticket_of("acme", [8; 32], now()),
        ticket().replace(|c: char| c.is_ascii_digit(), "x"),
        String::new(),
    ] {
        assert_eq!(refused(&house, &wrong), Some(Refused::Ticket), "{wrong}");
    }
    assert_eq!(house.edge.status().connections, 0);
}

#[tokio::test]
async fn who_makes_tickets_up_is_stopped_and_old_ones_count_for_nothing() {
    let house = House::with(|limits| limits.failures_per_minute = 3).await;
    let old = ticket_of("acme", NONCE_KEY, now() - LIFETIME_MS - 1_000);
    for _ in 0..5 {
        assert_eq!(refused(&house, &old), Some(Refused::Ticket));
    }
    for _ in 0..3 {
        assert_eq!(refused(&house, "made-up"), Some(Refused::Ticket));
    }
    assert_eq!(refused(&house, "made-up"), Some(Refused::Guesses));
    let elsewhere = SocketAddr::from(([127, 0, 0, 2], 40_000));
    assert_eq!(house.edge.accept_page(elsewhere, http(), false, "made-up").err(), Some(Refused::Ticket));
    assert_eq!(refused(&house, &ticket()), None, "all pages behind a proxy have one address");
}

#[tokio::test]
async fn before_the_key_is_known_no_ticket_is_taken() {
    let house = House::start().await;
    house.routes.keyless.store(true, Ordering::SeqCst);
    assert_eq!(refused(&house, &ticket()), Some(Refused::Unready));
}
