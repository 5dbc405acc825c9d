//! What an edge is told at its start: its name, its sockets, what far ends are told, and how much it takes.

use std::{net::SocketAddr, time::Duration};

use mangrove_sip::Transport;

use crate::contacts::Contacts;

/// How an edge is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The node's name, the author of the edge's events.
    pub node: String,
    /// Rises with every start of the process: events of an older run are never mistaken for ours.
    pub run: u64,
    /// UDP sockets; port 0 takes any free one, no address means no UDP.
    pub udp: Vec<SocketAddr>,
    /// TCP listeners; port 0 takes any free one, no address means no TCP.
    pub tcp: Vec<SocketAddr>,
    /// Where WebSockets come in that are given to this edge (`Ws`, or `Wss` where their clients speak TLS); none: it is
    /// given none.
    pub websocket: Option<(Transport, SocketAddr)>,
    /// What far ends are told where it differs from what is bound.
    pub public: Public,
    /// Another process is bound to these addresses still: this one binds beside it, and reports nothing until
    /// `Edge::begin`.
    pub joins: bool,
    /// `Server` of the answers that the edge gives by itself.
    pub user_agent: String,
    pub limits: Limits,
}

impl Options {
    /// An edge without sockets, with the default limits.
    pub fn new(node: impl Into<String>, run: u64) -> Self {
        Self {
            node: node.into(),
            run,
            udp: Vec::new(),
            tcp: Vec::new(),
            websocket: None,
            public: Public::default(),
            joins: false,
            user_agent: concat!("mangrove/", env!("CARGO_PKG_VERSION")).to_owned(),
            limits: Limits::default(),
        }
    }

    /// What far ends will be told by this edge, once it is bound as the options say.
    pub fn contacts(&self) -> Vec<(Transport, String)> {
        let udp = self.udp.iter().map(|address| (Transport::Udp, *address));
        let tcp = self.tcp.iter().map(|address| (Transport::Tcp, *address));
        Contacts::of(self, &udp.chain(tcp).collect::<Vec<_>>()).told()
    }
}

/// Addresses that Via and Contact tell far ends: `host` or `host:port`, IPv6 in brackets. A missing port is the
/// bound one; a missing address is the bound one too, and where that is unspecified (`0.0.0.0`), the address of
/// the interface with the default route.
#[derive(Debug, Clone, Default)]
pub struct Public {
    pub udp: Option<String>,
    pub tcp: Option<String>,
    pub websocket: Option<String>,
}

/// How much an edge takes before it refuses. Every limit is per edge unless it says otherwise.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Tasks that read one UDP socket. More than one may reorder messages of one far end.
    pub udp_readers: usize,
    /// Locks over which transactions are spread, by Call-ID.
    pub shards: usize,
    /// Connections, both accepted and opened, WebSockets included.
    pub connections: usize,
    /// Accepted TCP connections from one address.
    pub connections_per_source: usize,
    /// WebSockets from one address: a proxy's is that of all who are behind it.
    pub websockets_per_source: usize,
    /// How long a message may take to arrive whole, the first one of a connection included.
    pub message_time: Duration,
    /// How long a connection may be silent before its far end proved who it is by a call or registration. After that TCP's own
    /// keep-alive alone ends it: a phone may be silent for the length of a call.
    pub idle_time: Duration,
    /// How long a WebSocket may be silent before it is pinged, and then before its far end counts as gone.
    pub ping_time: Duration,
    /// How long opening a connection may take.
    pub connect_time: Duration,
    /// How long a far end may refuse to read.
    pub write_time: Duration,
    /// Messages waiting to be written to one connection; one more closes it.
    pub write_queue: usize,
    /// New INVITEs given to control and not answered by anything yet; more get 503.
    pub unanswered_invites: usize,
    /// Milliseconds that control may be behind before new INVITEs get 503.
    pub lag_ms: u64,
    /// How long control may take no event before an INVITE that waits for it gets 503, and new ones get it at once. Longer than
    /// an election, and so short that a carrier tries elsewhere before its caller hangs up.
    pub answer_time: Duration,
    /// Events of one group waiting for control before new requests are refused with 503, those of calls that stand
    /// included; hang-ups are taken up to five times as many.
    pub waiting_events: usize,
    /// Events in one delivery to control.
    pub batch: usize,
    /// Requests a second from one address that is no trunk's (of IPv6: from one /64); more are dropped. What
    /// belongs to a transaction that is under way is not counted; ACKs and responses that belong to none are, and
    /// so is STUN.
    pub requests_per_second: u32,
    /// Requests that may come at once on top of that.
    pub request_burst: u32,
    /// Wrong passwords a minute for one user name from one address, and ten times as many for all names from one
    /// address; more are refused unchecked with 403.
    pub failures_per_minute: u32,
    /// Addresses whose rates are remembered.
    pub sources: usize,
    /// How long a digest nonce is good.
    pub nonce_time: Duration,
    /// How long one delivery to control may take before it is tried again.
    pub deliver_time: Duration,
    /// How long a shutdown waits until control has every event.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            udp_readers: 1,
            shards: 8,
            connections: 10_000,
            connections_per_source: 2_000,
            websockets_per_source: 5_000,
            message_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(60),
            ping_time: Duration::from_secs(5),
            connect_time: Duration::from_secs(4),
            write_time: Duration::from_secs(10),
            write_queue: 256,
            unanswered_invites: 2_000,
            lag_ms: 500,
            answer_time: Duration::from_millis(1_800),
            waiting_events: 20_000,
            batch: 256,
            requests_per_second: 2_000,
            request_burst: 4_000,
            failures_per_minute: 20,
            sources: 65_536,
            nonce_time: Duration::from_secs(300),
            deliver_time: Duration::from_secs(5),
            drain_time: Duration::from_secs(5),
        }
    }
}
