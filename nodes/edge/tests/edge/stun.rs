//! Phones that keep their NAT bindings open by STUN are answered, within their rate.

use mangrove_edge::Transport;
use tokio::net::UdpSocket;

use crate::house::House;

/// A Binding request: type, length 0, cookie, transaction.
const BINDING: &[u8] = b"\x00\x01\x00\x00\x21\x12\xa4\x42transaction1";

#[tokio::test]
async fn a_binding_request_is_told_where_it_came_from() {
    let house = House::start().await;
    let phone = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    phone.send_to(BINDING, house.address(Transport::Udp)).await.unwrap();
    let mut buffer = [0; 100];
    let (length, from) = phone.recv_from(&mut buffer).await.unwrap();
    assert_eq!((length, from), (32, house.address(Transport::Udp)));
    let port = phone.local_addr().unwrap().port() ^ 0x2112;
    let [high, low] = port.to_be_bytes();
    let mapped = [0, 0x20, 0, 8, 0, 1, high, low, 127 ^ 0x21, 0x12, 0xa4, 1 ^ 0x42];
    assert_eq!((&buffer[..4], &buffer[4..20]), (&[1, 1, 0, 12][..], &BINDING[4..]));
    assert_eq!(buffer[20..32], mapped);
}

#[tokio::test]
async fn stun_counts_as_anything_else_and_broken_stun_is_not_answered() {
    let house = House::with(|limits| (limits.requests_per_second, limits.request_burst) = (0, 3)).await;
    let (phone, carrier) = (house.phone().await, house.carrier().await);
    phone.send(&BINDING[..19]).await;
    for _ in 0..10 {
        phone.send(BINDING).await;
    }
    carrier.hears_nothing("all-of-it-was-handled").await;
    house.routes.trunks.lock().push(phone.local());
    phone.send(phone.ping("barrier")).await;
    let mut answers = 0;
    while phone.datagram().await[0] == 1 {
        answers += 1;
    }
    assert_eq!(answers, 2, "the broken one took a token too");
}
