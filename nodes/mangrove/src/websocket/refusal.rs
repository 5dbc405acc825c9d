//! Who is not let in at `/sip`, and what they are told.

use axum::{http::StatusCode, response::Response};
use mangrove_console::refuse;
use mangrove_edge::websocket::Refused;

pub(super) async fn misdirected() -> Response {
    let message = "this node takes no SIP: it has no edge";
    let action = "ask a node with the role `edge` for /sip";
    refuse(StatusCode::MISDIRECTED_REQUEST, "misdirected", message, action)
}

pub(super) fn other_protocol() -> Response {
    let message = "this WebSocket would not speak SIP";
    let action = "ask for the sub-protocol: `Sec-WebSocket-Protocol: sip` (RFC 7118)";
    refuse(StatusCode::BAD_REQUEST, "bad-request", message, action)
}

pub(super) fn foreign_origin() -> Response {
    let message = "this page may not use a ticket here";
    let action =
        "open the WebSocket from a page of this server, or set `http.public` to where browsers find it";
    refuse(StatusCode::FORBIDDEN, "foreign-origin", message, action)
}

pub(super) fn unavailable(why: &str) -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, "unavailable", why, "try again in a moment, or ask another node")
}

/// By the edge.
pub(super) fn refused(why: Refused) -> Response {
    let said = why.to_string();
    match why {
        Refused::Ticket => {
            let action = "ask for another one at POST /api/v1/me/phone";
            refuse(StatusCode::UNAUTHORIZED, "bad-ticket", said, action)
        }
        Refused::Guesses => {
            let action = "wait a minute and try again";
            refuse(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", said, action)
        }
        Refused::Leaving | Refused::Full | Refused::Source | Refused::Unready => unavailable(&said),
    }
}
