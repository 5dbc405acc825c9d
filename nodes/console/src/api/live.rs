//! The live picture.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use mangrove_proto::live::{Call, Live};

use crate::{
    access::{Access, Agents, Scope},
    app::App,
    refusal::Refusal,
};

/// Queues, agents and calls now. Follow `events` from its `event` on to keep it up to date.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/live", tag = "live", params(("tenant" = String, Path)),
    responses((status = 200, body = Live), (status = 403, body = Refusal), (status = 404, body = Refusal)))]
pub(crate) async fn live(State(app): State<Arc<App>>, access: Access) -> Result<Json<Live>, Refusal> {
    Ok(Json(picture(&app, &access, &access.scope).await?.0))
}

/// The picture in this scope, and the agents in it.
pub(crate) async fn picture(app: &App, access: &Access, scope: &Scope) -> Result<(Live, Agents), Refusal> {
    let mut live = app.control.live(access.tenant.as_str()).await?;
    let agents = scope.narrow(&mut live);
    Ok((live, agents))
}

/// One live call in this scope.
pub(crate) async fn call(
    app: &App,
    access: &Access,
    scope: &Scope,
    id: &str,
) -> Result<Option<Call>, Refusal> {
    let (live, _) = picture(app, access, scope).await?;
    Ok(live.calls.into_iter().find(|call| call.id.to_string() == id))
}

/// One live call whose course the asker may change.
pub(crate) async fn commanded(app: &App, access: &Access, id: &str) -> Result<Call, Refusal> {
    let (live, agents) = picture(app, access, &access.scope).await?;
    let call = live.calls.into_iter().find(|call| call.id.to_string() == id);
    let call = call.ok_or_else(|| Refusal::missing("such call"))?;
    if access.scope.commands_call(&call, &agents) {
        return Ok(call);
    }
    let (message, action) = ("you are only rung for this call", "answer it first, or decline it");
    Err(Refusal::new(StatusCode::FORBIDDEN, "forbidden", message, action))
}
