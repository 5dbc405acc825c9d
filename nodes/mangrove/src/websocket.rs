//! `/sip` on the port of pages and probes: SIP over WebSocket (RFC 7118), upgraded here and spoken by the node's own edge.
//! Who comes proves itself by digest, as over TCP, and by nothing that a browser adds unasked: so pages of any origin may
//! ask. The phone in a person's page comes with a ticket, which stands beside the sub-protocol `sip`, and must be a page of
//! ours.

mod refusal;
mod socket;

use std::net::SocketAddr;

use axum::{
    Router,
    extract::{ConnectInfo, State, WebSocketUpgrade},
    http::HeaderMap,
    response::Response,
    routing::{any, get},
};
use mangrove_console::is_of_own_page;
use mangrove_edge::{Edge, websocket::LONGEST};
use mangrove_membership::{Cluster, RULES};

use crate::{
    carrier::{Carried, Carrier},
    configuration::{Configuration, Role},
};

const PATH: &str = "/sip";
/// The sub-protocol that a client must ask for (RFC 7118 section 4.1).
const SUBPROTOCOL: &str = "sip";
/// In front of a ticket among the sub-protocols: a page can say nothing else when it opens a WebSocket.
const TICKET: &str = "ticket.";
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
    /// Of pages that may use tickets besides those of our own host.
    origins: Vec<String>,
}

/// What this node, which serves HTTP at `local`, answers at `/sip`.
pub(crate) fn router(configuration: &Configuration, carrier: &Carrier, local: SocketAddr) -> Router {
    if !configuration.has(Role::Edge) {
        return Router::new().route(PATH, any(refusal::misdirected));
    }
    let Carrier { cluster, carried, .. } = carrier;
    let (cluster, carried, secure) = (cluster.clone(), carried.clone(), configuration.http.is_secure());
    let origins = configuration.http.public.iter().map(|public| public.as_str().to_owned()).collect();
    Router::new().route(PATH, get(enter)).with_state(Door { cluster, carried, local, secure, origins })
}

async fn enter(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return refusal::other_protocol();
    }
    let ticket = ticket(&upgrade);
    if ticket.is_some() && !is_of_own_page(&headers, &door.origins) {
        return refusal::foreign_origin();
    }
    let edge = match door.edge() {
        Ok(edge) => edge,
        Err(why) => return refusal::unavailable(why),
    };
    let seat = match ticket {
        None => edge.accept_websocket(peer, door.local, door.secure),
        Some(ticket) => edge.accept_page(peer, door.local, door.secure, &ticket),
    };
    match seat {
        Ok(seat) => upgrade
            .read_buffer_size(READ_BUFFER)
            .max_message_size(LONGEST)
            .max_frame_size(LONGEST)
            .on_upgrade(move |upgraded| async move { seat.begin(socket::of(upgraded)) }),
        Err(why) => refusal::refused(why),
    }
}

/// What stands in a password's place; it is answered `sip` all the same, and never repeated.
fn ticket(upgrade: &WebSocketUpgrade) -> Option<String> {
    let mut asked = upgrade.requested_protocols().filter_map(|one| one.to_str().ok());
    asked.find_map(|one| one.strip_prefix(TICKET)).map(str::to_owned)
}

impl Door {
    /// The edge that takes WebSockets here, or why there is none.
    fn edge(&self) -> Result<Edge, &'static str> {
        if !self.cluster.directory().all_speak(SINCE) {
            return Err("not all nodes run a version that knows SIP over WebSocket");
        }
        let own = self.carried.get(self.cluster.name()).and_then(|own| own.edge);
        own.ok_or("this node's edge is carried by another node at the moment")
    }
}
