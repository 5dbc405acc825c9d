//! The phone in the asker's page: what it connects and calls with.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use jsonwebtoken::get_current_timestamp;
use mangrove_proto::service::PagePhone;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{access::Access, app::App, refusal::Refusal, turn::IceServer};

/// Where a page's own host takes SIP.
const WEBSOCKET: &str = "/sip";

#[derive(Serialize, ToSchema)]
pub(crate) struct Phone {
    /// Asked for as a sub-protocol beside `sip` when the WebSocket is opened: `ticket.` with this behind. The phone needs no
    /// password then.
    ticket: String,
    /// Seconds for which the ticket may be shown. A connection outlives it; a new one needs a new ticket.
    expires_in: u64,
    /// The phone's own address.
    uri: String,
    /// Its user.
    login: String,
    /// The company's SIP domain.
    realm: String,
    /// What others are shown.
    display: String,
    /// The path of the WebSocket, at the host that was asked.
    ws: String,
    /// For `RTCPeerConnection`.
    ice_servers: Vec<IceServer>,
    /// Who calls this address hears themselves.
    echo: String,
}

/// What the phone in your page connects and calls with, for as long as your login stands as it is.
#[utoipa::path(post, path = "/api/v1/me/phone", tag = "session", responses(
    (status = 200, body = Phone), (status = 401, body = Refusal), (status = 409, body = Refusal)
))]
pub(crate) async fn phone(State(app): State<Arc<App>>, access: Access) -> Result<Json<Phone>, Refusal> {
    let login = &access.person()?.login;
    let Some(PagePhone { extension, domain }) = &login.page_phone else { return Err(no_phone()) };
    let ticket = app.control.ticket(login);
    let ticket = ticket.ok_or_else(|| Refusal::unavailable("this node is not in its cluster yet"))?;
    Ok(Json(Phone {
        ticket: ticket.text,
        expires_in: ticket.seconds,
        uri: format!("sip:{extension}@{domain}"),
        login: extension.clone(),
        realm: domain.clone(),
        display: login.name.clone(),
        ws: WEBSOCKET.to_owned(),
        ice_servers: app.options.turn.ice_servers(login, get_current_timestamp()),
        echo: format!("sip:echo@{domain}"),
    }))
}

fn no_phone() -> Refusal {
    let action = "ask an administrator to add `browser: {}` to your devices";
    Refusal::new(StatusCode::CONFLICT, "no-phone", "you have no phone in this page", action)
}
