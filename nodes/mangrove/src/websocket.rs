//! `/sip` on the port of pages and probes: SIP over WebSocket (RFC 7118), upgraded here and spoken by the node's own edge.
//! Who comes proves itself by digest, as over TCP, and by nothing that a browser adds unasked: so pages of any origin may
//! ask.

mod socket;

use std::net::SocketAddr;

use axum::{
    Router,
    extract::{ConnectInfo, State, WebSocketUpgrade},
    http::StatusCode,
    response::Response,
    routing::{any, get},
};
use mangrove_console::refuse;
use mangrove_edge::websocket::{LONGEST, Seat};
use mangrove_membership::{Cluster, RULES};

use crate::{
    carrier::{Carried, Carrier},
    configuration::{Configuration, Role},
};

const PATH: &str = "/sip";
/// The sub-protocol that a client must ask for (RFC 7118 section 4.1).
const SUBPROTOCOL: &str = "sip";
/// The protocol since which all nodes know how phones over WebSockets come and go.
const SINCE: u32 = RULES;
/// Of each connection, and allocated at once: most of them say little.
const READ_BUFFER: usize = 4 * 1024;

/// What upgrading needs.
#[derive(Debug, Clone)]
struct Door {
    cluster: Cluster,
    carried: Carried,
    local: SocketAddr,
    secure: bool,
}

/// What this node, which serves HTTP at `local`, answers at `/sip`.
pub(crate) fn router(configuration: &Configuration, carrier: &Carrier, local: SocketAddr) -> Router {
    if !configuration.has(Role::Edge) {
        return Router::new().route(PATH, any(misdirected));
    }
    let Carrier { cluster, carried, .. } = carrier;
    let (cluster, carried, secure) = (cluster.clone(), carried.clone(), configuration.http.is_secure());
    Router::new().route(PATH, get(enter)).with_state(Door { cluster, carried, local, secure })
}

async fn enter(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return other_protocol();
    }
    match door.seat(peer) {
        Ok(seat) => upgrade
            .read_buffer_size(READ_BUFFER)
            .max_message_size(LONGEST)
            .max_frame_size(LONGEST)
            .on_upgrade(move |upgraded| async move { seat.begin(socket::of(upgraded)) }),
        Err(why) => unavailable(&why),
    }
}

impl Door {
    /// A place at the edge, or why there is none.
    fn seat(&self, peer: SocketAddr) -> Result<Seat, String> {
        if !self.cluster.directory().all_speak(SINCE) {
            return Err("not all nodes run a version that knows SIP over WebSocket".to_owned());
        }
        let own = self.carried.get(self.cluster.name()).and_then(|own| own.edge);
        let edge = own.ok_or("this node's edge is carried by another node at the moment")?;
        edge.accept_websocket(peer, self.local, self.secure).map_err(|why| why.to_string())
    }
}

async fn misdirected() -> Response {
    let message = "this node takes no SIP: it has no edge";
    let action = "ask a node with the role `edge` for /sip";
    refuse(StatusCode::MISDIRECTED_REQUEST, "misdirected", message, action)
}

fn other_protocol() -> Response {
    let message = "this WebSocket would not speak SIP";
    let action = "ask for the sub-protocol: `Sec-WebSocket-Protocol: sip` (RFC 7118)";
    refuse(StatusCode::BAD_REQUEST, "bad-request", message, action)
}

fn unavailable(why: &str) -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, "unavailable", why, "try again in a moment, or ask another node")
}
