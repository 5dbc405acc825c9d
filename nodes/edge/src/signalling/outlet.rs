//! Where bytes leave: a UDP socket, the connection that a flow token names, or one opened for the purpose; for a
//! WebSocket nobody opens another.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use mangrove_sip::{Destination, Message, Transport};

use crate::{
    flows::{self, Packet},
    metrics::MESSAGES_OUT,
    udp::Udp,
};

/// The bytes can't leave: no such flow, no socket, no room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotSent;

#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) udp: Arc<Udp>,
    pub(crate) connections: flows::Context,
}

impl Outlet {
    /// Sends or queues. A request that fails after being queued is reported by the connection.
    pub(crate) fn send(&self, destination: &Destination, bytes: Bytes) -> Result<(), NotSent> {
        let kind = if is_response(&bytes) { "response" } else { "request" };
        match destination.transport {
            Transport::Udp => self.send_udp(destination.address, &bytes),
            Transport::Tcp => self.send_tcp(destination, bytes),
            Transport::Ws | Transport::Wss => self.send_websocket(destination, bytes),
            Transport::Tls => Err(NotSent),
        }
        .inspect(|()| metrics::counter!(MESSAGES_OUT, "kind" => kind).increment(1))
    }

    fn send_udp(&self, address: SocketAddr, bytes: &[u8]) -> Result<(), NotSent> {
        self.udp.send(bytes, address).map_err(|error| {
            tracing::debug!(%error, %address, "datagram could not be sent");
            NotSent
        })
    }

    fn send_tcp(&self, destination: &Destination, bytes: Bytes) -> Result<(), NotSent> {
        let packet = packet(destination, bytes);
        match &destination.flow {
            Some(token) => self.send_flow(token, destination.address, packet),
            None => self.connections.send_to(destination.address, packet).map_err(|_| NotSent),
        }
    }

    /// By the connection that the far end opened, or not at all (RFC 7118 appendix B.1).
    fn send_websocket(&self, destination: &Destination, bytes: Bytes) -> Result<(), NotSent> {
        let token = destination.flow.as_deref().ok_or(NotSent)?;
        let flow = self.connections.flows.by_token(token).ok_or(NotSent)?;
        flow.send(packet(destination, bytes)).map_err(|_| NotSent)
    }

    /// When the flow is gone, what was to go over it is sent over a new connection: a request to its address, a
    /// response to where the request's sender listens.
    fn send_flow(&self, token: &str, address: SocketAddr, packet: Packet) -> Result<(), NotSent> {
        let unsent = match self.connections.flows.by_token(token) {
            Some(flow) => match flow.send(packet) {
                Ok(()) => return Ok(()),
                Err(packet) => packet,
            },
            None => packet,
        };
        let response = is_response(&unsent.bytes);
        let address = if response { listening(address.ip(), &unsent.bytes) } else { address };
        self.connections.send_to(address, unsent).map_err(|_| NotSent)
    }
}

/// Of a request it is known where it was to go, so that it can be called failed.
fn packet(destination: &Destination, bytes: Bytes) -> Packet {
    let failing = (!is_response(&bytes)).then(|| destination.clone());
    Packet { bytes, destination: failing }
}

pub(super) fn is_response(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SIP/2.0 ")
}

/// Where the sender of a request waits for the response once its connection is gone: the host it sent from, with the
/// port of its Via (RFC 3261 section 18.2.2). The host in Via is not believed: we would connect wherever it says.
fn listening(sender: IpAddr, response: &[u8]) -> SocketAddr {
    let via = Message::parse(response).ok().and_then(|response| response.top_via().ok());
    let port = via.and_then(|via| via.port).filter(|port| *port != 0);
    SocketAddr::new(sender, port.unwrap_or(Transport::Tcp.default_port()))
}
