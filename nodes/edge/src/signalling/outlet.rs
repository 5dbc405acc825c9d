//! Where bytes leave: a UDP socket, the connection that a flow token names, or one opened for the purpose.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use mangrove_sip::{Destination, Message, Transport};

use crate::{
    metrics::MESSAGES_OUT,
    tcp::{self, Packet},
    udp::Udp,
};

/// The bytes can't leave: no such flow, no socket, no room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotSent;

#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) udp: Arc<Udp>,
    pub(crate) tcp: tcp::Context,
}

impl Outlet {
    /// Sends or queues. A request that fails after being queued is reported by the connection.
    pub(crate) fn send(&self, destination: &Destination, bytes: Bytes) -> Result<(), NotSent> {
        let kind = if is_response(&bytes) { "response" } else { "request" };
        match destination.transport {
            Transport::Udp => self.send_udp(destination.address, &bytes),
            Transport::Tcp => self.send_tcp(destination, bytes),
            Transport::Tls | Transport::Ws | Transport::Wss => Err(NotSent),
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
        let failing = (!is_response(&bytes)).then(|| destination.clone());
        let packet = Packet { bytes, destination: failing };
        match &destination.flow {
            Some(token) => self.send_flow(token, packet),
            None => self.tcp.send_to(destination.address, packet).map_err(|_| NotSent),
        }
    }

    /// A request for a flow that is gone fails: nothing listens at the other end of it. A response then goes to
    /// the address in Via (RFC 3261 section 18.2.2).
    fn send_flow(&self, token: &str, packet: Packet) -> Result<(), NotSent> {
        let unsent = match self.tcp.flows.by_token(token) {
            Some(flow) => match flow.send(packet) {
                Ok(()) => return Ok(()),
                Err(packet) => packet,
            },
            None => packet,
        };
        if !is_response(&unsent.bytes) {
            return Err(NotSent);
        }
        let address = sent_by(&unsent.bytes).ok_or(NotSent)?;
        self.tcp.send_to(address, unsent).map_err(|_| NotSent)
    }
}

pub(super) fn is_response(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SIP/2.0 ")
}

/// The address that a response's top Via names, if it is a literal one.
fn sent_by(bytes: &[u8]) -> Option<SocketAddr> {
    let via = Message::parse(bytes).ok()?.top_via().ok()?;
    let ip = via.host.trim_matches(['[', ']']).parse().ok()?;
    Some(SocketAddr::new(ip, via.port.unwrap_or(Transport::Tcp.default_port())))
}
