//! Control's commands: late ones are refused, unreadable ones skipped, repeated ones harmless.

use mangrove_edge::Transport;
use mangrove_proto::edge::{self, SendRequest, edge_command::Op};

use crate::house::{House, leg};

fn request(to: Option<std::net::SocketAddr>, message: &[u8]) -> Op {
    let destination = to.map(|to| edge::Destination {
        transport: edge::Transport::Udp.into(),
        address: to.to_string(),
        flow: String::new(),
    });
    Op::Request(SendRequest {
        branch: format!("z9hG4bKacme.{}-1", leg()),
        method: "BYE".into(),
        destination,
        message: message.to_vec().into(),
    })
}

const BYE: &[u8] = b"BYE sip:101@127.0.0.1 SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\n\
    To: <sip:c@d>;tag=2\r\nCall-ID: c\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_leader_that_was_replaced_commands_nothing() {
    let house = House::start().await;
    let phone = house.phone().await;
    assert_eq!(house.execute(5, request(Some(phone.local()), BYE)).await.refused, [0; 0]);
    assert_eq!(phone.receive().await.method().as_str(), "BYE");
    assert_eq!(house.execute(4, request(Some(phone.local()), BYE)).await.refused, [2]);
    phone.hears_nothing("late").await;
}

#[tokio::test]
async fn a_command_that_can_not_be_read_is_skipped() {
    let house = House::start().await;
    let phone = house.phone().await;
    for op in [request(None, BYE), request(Some(phone.local()), b"noise"), request(Some(phone.local()), b"")]
    {
        assert_eq!(house.execute(1, op).await.refused, [0; 0]);
    }
    phone.hears_nothing("nothing-was-sent").await;
}

#[tokio::test]
async fn a_repeated_request_is_the_same_bytes() {
    let house = House::start().await;
    let phone = house.phone().await;
    let mut seen = Vec::new();
    for term in [1, 2] {
        house.execute(term, request(Some(phone.local()), BYE)).await;
        seen.push(phone.receive().await);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(house.edge.status().transactions, 1);
    assert_eq!(seen[0].top_via().unwrap().sent_by(), house.address(Transport::Udp).to_string());
}
