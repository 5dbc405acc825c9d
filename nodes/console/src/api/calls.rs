//! Live calls.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use mangrove_proto::{control::CallCommand, live::Call};

use super::live;
use crate::{access::Access, app::App, body::Named, refusal::Refusal};

/// Calls in progress.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/calls", tag = "live", params(("tenant" = String, Path)),
    responses((status = 200, body = Vec<Call>)))]
pub(crate) async fn list(State(app): State<Arc<App>>, access: Access) -> Result<Json<Vec<Call>>, Refusal> {
    Ok(Json(live::picture(&app, &access, &access.scope).await?.0.calls))
}

/// Ends a call in progress.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/calls/{id}/hang-up", tag = "live",
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal)))]
pub(crate) async fn hang_up(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, id)): Named<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let call = live::call(&app, &access, &access.scope, &id).await?;
    let call = call.ok_or_else(|| Refusal::missing("such call"))?.id.to_string();
    let tenant = access.tenant.to_string();
    let (author, action) = (Some(access.author), "hang-up".into());
    let command = CallCommand { author, tenant, call, action, ..CallCommand::default() };
    app.control.command_call(command).await?;
    Ok(StatusCode::NO_CONTENT)
}
