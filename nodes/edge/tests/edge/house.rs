//! A running edge with its fakes, and the commands a control would give it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use mangrove_edge::{Edge, Limits, Options, Transport};
use mangrove_proto::{
    common::Fence,
    edge::{self, EdgeCommand, EdgeCommands, EdgeExecuted, SendRequest, SendResponse, edge_command::Op},
    id::LegId,
    service::Edge as _,
};
use mangrove_sip::Message;

use crate::{
    fake::{FakeControl, FakeRoutes, GROUP, fakes},
    far_end::{Page, UdpEnd},
};

pub(crate) struct House {
    pub(crate) edge: Edge,
    pub(crate) control: Arc<FakeControl>,
    pub(crate) routes: Arc<FakeRoutes>,
    effects: AtomicU64,
}

/// Where WebSockets come in, if somebody served HTTP.
pub(crate) fn http() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

/// Our leg in these tests.
pub(crate) fn leg() -> String {
    LegId(42).to_string()
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let (control, routes) = fakes();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let websocket = Some((Transport::Ws, http()));
        let mut options = Options { udp: vec![any], tcp: vec![any], websocket, ..Options::new("a", 9) };
        change(&mut options.limits);
        let edge = Edge::start(options, control.clone(), routes.clone()).await.unwrap();
        Self { edge, control, routes, effects: AtomicU64::new(0) }
    }

    pub(crate) fn address(&self, transport: Transport) -> SocketAddr {
        self.edge.addresses().into_iter().find(|(known, _)| *known == transport).unwrap().1
    }

    /// A UDP far end that knows this edge.
    pub(crate) async fn phone(&self) -> UdpEnd {
        UdpEnd::bind("127.0.0.1:0", self.address(Transport::Udp)).await
    }

    /// A page in a browser with a WebSocket from this port.
    pub(crate) fn page(&self, port: u16) -> Page {
        Page::open(&self.edge, port).expect("a seat")
    }

    /// A UDP far end whose address is the tenant's trunk.
    pub(crate) async fn carrier(&self) -> UdpEnd {
        let carrier = self.phone().await;
        self.routes.trunks.lock().push(carrier.local());
        carrier
    }

    pub(crate) async fn execute(&self, term: u64, op: Op) -> EdgeExecuted {
        let command = EdgeCommand {
            effect: self.effects.fetch_add(1, Ordering::SeqCst) + 1,
            tenant: "acme".into(),
            call: "call".into(),
            leg: leg(),
            fence: Some(Fence { incarnation: 1, tenant_epoch: 1, term, index: 1 }),
            op: Some(op),
        };
        self.edge.execute(EdgeCommands { group: GROUP, commands: vec![command] }).await.unwrap()
    }

    /// Answers a request as control would, from what the event said.
    pub(crate) async fn answer(&self, request: &Message, source: &edge::Source, status: u16) {
        let mut answer = Message::reply_to(request, status);
        if status > 100 {
            answer.set_to_tag("ours");
            answer.push("Contact", contact(&self.edge));
        }
        let destination = edge::Destination {
            transport: source.transport,
            address: source.remote.clone(),
            flow: source.flow.clone(),
        };
        let response = SendResponse { destination: Some(destination), message: answer.to_bytes().into() };
        assert_eq!(self.execute(1, Op::Response(response)).await.refused, [0; 0]);
    }

    /// Sends a request of ours to an address.
    pub(crate) async fn request(&self, method: &str, transport: edge::Transport, to: SocketAddr) -> String {
        self.request_over("", method, transport, to).await
    }

    /// Sends a request of ours over a flow, or to an address.
    pub(crate) async fn request_over(
        &self,
        flow: &str,
        method: &str,
        transport: edge::Transport,
        to: SocketAddr,
    ) -> String {
        let branch = format!("z9hG4bK-acme.{}-{}", leg(), self.effects.load(Ordering::SeqCst));
        let message = format!(
            "{method} sip:102@{to} SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:acme@127.0.0.1>;tag=ours\r\n\
             To: <sip:102@{to}>\r\nCall-ID: out\r\nCSeq: 1 {method}\r\nContact: {}\r\nContent-Length: 0\r\n\r\n",
            contact(&self.edge)
        );
        let destination =
            edge::Destination { transport: transport.into(), address: to.to_string(), flow: flow.into() };
        let request = SendRequest {
            branch: branch.clone(),
            method: method.into(),
            destination: Some(destination),
            message: message.into_bytes().into(),
        };
        assert_eq!(self.execute(1, Op::Request(request)).await.refused, [0; 0]);
        branch
    }
}

/// Our Contact, as a dialog of ours would name it.
pub(crate) fn contact(edge: &Edge) -> String {
    let (_, told) = edge.contacts().swap_remove(0);
    format!("<sip:acme.{}@{told}>", leg())
}
