//! What happened in a call, line by line.

use std::sync::Arc;

use axum::{Json, extract::State};
use mangrove_proto::{control::StoryRequest, service, story::Entry};

use super::{cdrs, live};
use crate::{access::Access, app::App, body::Named, refusal::Refusal};

/// The messages, decisions and media events of a live or past call, in order.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/calls/{id}/story", tag = "calls",
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Vec<Entry>), (status = 404, body = Refusal)))]
pub(crate) async fn story(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, id)): Named<(String, String)>,
) -> Result<Json<Vec<Entry>>, Refusal> {
    let call = cdrs::call_id(&id)?;
    if live::call(&app, &access, &access.scope, &id).await?.is_none() {
        cdrs::find(&app, &access, &access.scope, call).await?;
    }
    let request = StoryRequest { tenant: access.tenant.to_string(), call: id };
    match app.control.story(request).await {
        Ok(entries) => return Ok(Json(entries)),
        Err(service::Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let kept = app.history.story(&access.tenant, call).await?;
    kept.map(Json).ok_or_else(|| Refusal::missing("story of this call"))
}
