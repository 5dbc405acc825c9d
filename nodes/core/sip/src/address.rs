//! Where messages come from and go to. No sockets: these are names for them that replicate and cross processes.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A transport this system speaks. Ordered, so that it can be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

impl Transport {
    /// As written in Via (RFC 3261 section 20.42, RFC 7118).
    pub fn via_name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
        }
    }

    /// As written in a URI's `transport` parameter; TLS is `tls`, deprecated but what phones write. A WebSocket is `ws`
    /// with TLS or without (RFC 7118 section 5.2.2).
    pub fn param_name(self) -> &'static str {
        match self {
            Transport::Wss => Transport::Ws.name(),
            other => other.name(),
        }
    }

    /// Our own word for it, one each: in addresses of nodes, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Ws => "ws",
            Transport::Wss => "wss",
        }
    }

    /// Whether the transport retransmits by itself: then transactions do not (RFC 3261 section 17).
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }

    /// Whether it is a WebSocket. Nobody can connect to who came by one: they are reached by that very connection, or
    /// not at all (RFC 7118 appendix B.1).
    pub fn is_websocket(self) -> bool {
        matches!(self, Transport::Ws | Transport::Wss)
    }

    /// Whether the hop is encrypted.
    pub fn is_secure(self) -> bool {
        matches!(self, Transport::Tls | Transport::Wss)
    }

    /// The port meant when none is written.
    pub fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
            Transport::Ws => 80,
            Transport::Wss => 443,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The transport is none that we speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("transport {0:?} is not spoken here: use udp, tcp, tls, ws or wss")]
pub struct UnknownTransport(pub String);

impl FromStr for Transport {
    type Err = UnknownTransport;

    /// Reads either spelling, in any case; `wss` too, which some write into URIs.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss]
            .into_iter()
            .find(|transport| transport.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownTransport(text.to_owned()))
    }
}

/// Where a message came from, as the edge saw it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    pub transport: Transport,
    pub remote: SocketAddr,
    /// Our address that received it: answers leave from there.
    pub local: SocketAddr,
    /// The edge's token for the connection (RFC 5626 section 5.2). None over UDP without outbound.
    pub flow: Option<String>,
}

impl Source {
    /// Back to where the message came from.
    pub fn destination(&self) -> Destination {
        Destination { transport: self.transport, address: self.remote, flow: self.flow.clone() }
    }
}

/// Where a message shall go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Destination {
    pub transport: Transport,
    pub address: SocketAddr,
    /// The connection to use while it stands. Without it `address` is connected to, if it is no WebSocket.
    pub flow: Option<String>,
}

impl Destination {
    /// A destination that is not bound to a connection.
    pub fn new(transport: Transport, address: SocketAddr) -> Self {
        Destination { transport, address, flow: None }
    }
}

/// How one of our dialogs names itself to the far end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    /// The advertised `host:port` of the edge, for the transport in use.
    pub contact_host: String,
    /// `<tenant>.<leg id>`: any edge routes by it.
    pub contact_user: String,
    pub user_agent: String,
    /// The tenant's SIP domain.
    pub domain: String,
    /// How it stands to Replaces.
    pub replaces: Replacing,
    /// Whether far ends may offer T.38 in place of a dialog's audio.
    pub fax: bool,
}

/// What of Replaces (RFC 3891) is known to a dialog of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Replacing {
    /// Nothing: who requires it is refused.
    Unknown,
    /// Who requires it is served as anybody else. It is not offered: the far end could name no dialog that it may replace.
    Known,
    /// It is offered: the far end may name this dialog.
    Offered,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transport_has_a_name_of_its_own_and_websockets_share_a_parameter() {
        for (transport, via, param) in [
            (Transport::Udp, "UDP", "udp"),
            (Transport::Tcp, "TCP", "tcp"),
            (Transport::Tls, "TLS", "tls"),
            (Transport::Ws, "WS", "ws"),
            (Transport::Wss, "WSS", "ws"),
        ] {
            assert_eq!((transport.via_name(), transport.param_name()), (via, param));
            assert_eq!(via.parse::<Transport>(), Ok(transport));
            assert_eq!(transport.to_string().parse::<Transport>(), Ok(transport));
            assert_eq!(transport.is_websocket(), param == "ws");
        }
    }
}
