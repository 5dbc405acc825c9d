//! RFC 4475 and RFC 5118: every message gets a reaction that its index allows, over UDP and TCP, and the edge goes
//! on serving.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use mangrove_edge::Transport;
use mangrove_sip::{Message, wire::Frame};
use serde::Deserialize;

use crate::{
    far_end::{TcpEnd, UdpEnd},
    house::House,
};

/// Any reply of an element that found the message well-formed.
const WELL_FORMED: &[u16] = &[
    401, 403, 404, 405, 406, 407, 415, 416, 420, 423, 480, 481, 482, 483, 484, 486, 487, 488, 489, 501, 503,
    600, 603, 604, 606,
];

#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    file: String,
    ok: Vec<String>,
    bad: Vec<String>,
    #[serde(skip)]
    bytes: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../core/sip/tests/torture");
    let read = |folder: PathBuf| {
        let index = std::fs::read(folder.join("index.json")).unwrap();
        let cases: Vec<Case> = serde_json::from_slice(&index).unwrap();
        cases
            .into_iter()
            .map(move |case| Case { bytes: std::fs::read(folder.join(&case.file)).unwrap(), ..case })
    };
    let cases: Vec<_> = read(root.clone()).chain(read(root.join("ipv6"))).collect();
    assert!(cases.len() >= 60, "only {} messages", cases.len());
    cases
}

impl Case {
    fn allows(&self, status: Option<u16>) -> bool {
        let class = |pattern: &str| match (pattern, status) {
            ("NONE", status) => status.is_none(),
            ("ANY", status) => status.is_some(),
            ("WF", Some(status)) => status < 400 || WELL_FORMED.contains(&status),
            ("2xx", Some(status)) => (200..300).contains(&status),
            (number, Some(status)) => number.parse() == Ok(status),
            (_, None) => false,
        };
        self.ok.iter().any(|pattern| class(pattern)) && !self.bad.iter().any(|pattern| class(pattern))
    }

    /// Where the sender listens: a response without `rport` goes to the port in Via.
    fn via_port(&self) -> u16 {
        let text = String::from_utf8_lossy(&self.bytes);
        let message = Message::parse(&self.bytes).or_else(|error| error.partial.map(|m| *m).ok_or(()));
        let port = message.ok().and_then(|message| message.top_via().ok()?.port);
        port.unwrap_or_else(|| if text.contains("TLS") { 5060 } else { Transport::Udp.default_port() })
    }
}

#[tokio::test]
async fn over_udp() {
    let house = House::start().await;
    let mut wrong = Vec::new();
    for (number, case) in cases().iter().enumerate() {
        let local = format!("127.44.{number}.1:{}", case.via_port());
        let sender = UdpEnd::bind(&local, house.address(Transport::Udp)).await;
        sender.send(&case.bytes).await;
        sender.send(sender.ping("barrier")).await;
        let first = sender.receive().await;
        let status = first.status().filter(|_| first.call_id() != Some("barrier"));
        if !case.allows(status) {
            wrong.push(format!("{}: {status:?}, not {:?}", case.name, case.ok));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(house.control.count(), 0, "nothing of this may begin anything");
}

#[tokio::test]
async fn over_tcp() {
    let house = House::with(|limits| limits.message_time = Duration::from_secs(5)).await;
    let mut wrong = Vec::new();
    for case in cases() {
        let mut sender = TcpEnd::connect(house.address(Transport::Tcp)).await;
        sender.send(&case.bytes).await;
        sender.finish().await;
        let status = match sender.frame().await {
            Some(Frame::Message(answer)) => answer.status(),
            _ => None,
        };
        // A stream can't tell a body that is too short from one that is still coming.
        let cut_short = case.name == "clerr" && status.is_none();
        if !cut_short && !case.allows(status) {
            wrong.push(format!("{}: {status:?}, not {:?}", case.name, case.ok));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    serves(&house, house.address(Transport::Tcp)).await;
}

async fn serves(house: &House, tcp: SocketAddr) {
    let mut client = TcpEnd::connect(tcp).await;
    client.send(client.request("OPTIONS", "sip:acme.example", "after", "")).await;
    assert_eq!(client.receive().await.status(), Some(200));
    assert_eq!(house.control.count(), 0, "nothing of this may begin anything");
}
