//! SIP as a carrier's caller sends it, and the events that an edge makes of it.

use mangrove_proto::edge::{self, EdgeEvent, Ingress, Received, Source, edge_event::Fact, ingress::From};

const ADDRESS: &str = "127.0.0.1:5080";

/// The INVITE of a new call to `number` of `tenant`; `serial` tells calls apart.
pub(crate) fn invite(tenant: &str, number: &str, serial: u32) -> EdgeEvent {
    let body = "v=0\r\no=- 77 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";
    let head = request("INVITE", tenant, number, serial);
    let length = body.len();
    let message = format!("{head}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}");
    event(tenant, message)
}

/// The CANCEL of that INVITE.
pub(crate) fn cancel(tenant: &str, number: &str, serial: u32) -> EdgeEvent {
    event(tenant, format!("{}Content-Length: 0\r\n\r\n", request("CANCEL", tenant, number, serial)))
}

fn request(method: &str, tenant: &str, number: &str, serial: u32) -> String {
    format!(
        "{method} sip:{number}@{tenant}.example SIP/2.0\r\nVia: SIP/2.0/UDP {ADDRESS};branch=z9hG4bKc{serial}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:79160000000@carrier>;tag=tag{serial}\r\nTo: <sip:{number}@{tenant}.example>\r\n\
         Call-ID: caller-{serial}\r\nCSeq: 1 {method}\r\nContact: <sip:79160000000@{ADDRESS}>\r\n"
    )
}

fn event(tenant: &str, message: String) -> EdgeEvent {
    let source = Source {
        transport: edge::Transport::Udp.into(),
        remote: ADDRESS.into(),
        local: "10.0.0.1:5060".into(),
        flow: String::new(),
    };
    let received = Received {
        message: message.into_bytes().into(),
        source: Some(source),
        ingress: Some(Ingress { from: Some(From::Trunk("carrier".into())) }),
        received_at_unix_ms: 0,
    };
    EdgeEvent { tenant: tenant.into(), fact: Some(Fact::Received(received)), ..EdgeEvent::default() }
}
