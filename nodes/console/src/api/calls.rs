//! Live calls.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use mangrove_proto::{
    control::{Author, CallCommand},
    live::Call,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::live;
use crate::{
    access::Access,
    app::App,
    body::{Body, Named},
    refusal::Refusal,
};

/// Calls in progress.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/calls", tag = "live", params(("tenant" = String, Path)),
    responses((status = 200, body = Vec<Call>)))]
pub(crate) async fn list(State(app): State<Arc<App>>, access: Access) -> Result<Json<Vec<Call>>, Refusal> {
    Ok(Json(live::picture(&app, &access, &access.scope).await?.0.calls))
}

/// Ends a call in progress; who is only rung for it declines it on the phone.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/calls/{id}/hang-up", tag = "live",
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
pub(crate) async fn hang_up(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, id)): Named<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let author = access.author.clone();
    command(&app, &access, &id, author, "hang-up").await
}

/// What may be asked about a recording, and the command for it.
const RECORDING: [(&str, &str); 4] = [
    ("start", "start-recording"),
    ("stop", "stop-recording"),
    ("pause", "pause-recording"),
    ("resume", "resume-recording"),
];

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RecordingWish {
    /// `start`, `stop`, `pause`, `resume`.
    action: String,
    /// Who numbers: drawn by chance once, by a page or a program; 0: does not.
    #[serde(default)]
    asker: u64,
    /// Rises with each wish of this asker for a recording: one that arrives when a later one was granted is refused (409), so
    /// that no pause is ended by a wish from before it.
    #[serde(default)]
    number: u64,
}

/// Begins, ends or pauses a call's recording, or goes on with it. A pause is answered once nothing of what is said is kept;
/// 503: that is not known yet, ask again before anything secret is said.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/calls/{id}/recording", tag = "live", request_body = RecordingWish,
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 403, body = Refusal), (status = 404, body = Refusal),
        (status = 409, body = Refusal), (status = 422, body = Refusal), (status = 503, body = Refusal)))]
pub(crate) async fn record(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, id)): Named<(String, String)>,
    Body(wish): Body<RecordingWish>,
) -> Result<StatusCode, Refusal> {
    let Some((_, action)) = RECORDING.iter().find(|(name, _)| *name == wish.action) else {
        let message = format!("`{}` can't be done to a recording", wish.action.escape_debug());
        let action = format!("take one of {}", RECORDING.map(|(name, _)| name).join(", "));
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", message, action));
    };
    let author = Author { asker: wish.asker, number: wish.number, ..access.author.clone() };
    command(&app, &access, &id, author, action).await
}

/// On a call in sight. 403: the asker is only rung for it.
async fn command(
    app: &App,
    access: &Access,
    id: &str,
    author: Author,
    action: &str,
) -> Result<StatusCode, Refusal> {
    let call = live::commanded(app, access, id).await?.id.to_string();
    let (tenant, action) = (access.tenant.to_string(), action.to_owned());
    let command = CallCommand { author: Some(author), tenant, call, action, ..CallCommand::default() };
    app.control.command_call(command).await?;
    Ok(StatusCode::NO_CONTENT)
}
