//! Tenants as a whole.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use mangrove_proto::{
    control::{DeleteRequest, MoveRequest},
    service::Error,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    configuration::{Reply, answer},
    sounds,
};
use crate::{
    access::{Access, Principal},
    app::App,
    body::Body,
    refusal::Refusal,
};

/// All tenants (administrator's token), or the login's own: `[{id, name, version, group}]`.
#[utoipa::path(get, path = "/api/v1/tenants", tag = "operation", responses((status = 200, body = Vec<Value>)))]
pub(crate) async fn list(State(app): State<Arc<App>>, access: Access) -> Result<Json<Value>, Refusal> {
    let all = app.control.tenants().await?;
    let mut all: Vec<Value> = serde_json::from_slice(&all.json).map_err(|e| Refusal::fault(&e))?;
    if let Principal::Person(person) = &access.who {
        all.retain(|tenant| tenant["id"] == person.login.tenant.as_str());
    }
    Ok(Json(json!(all)))
}

/// Removes a tenant with all it has.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}", tag = "operation", params(("tenant" = String, Path)),
    responses((status = 200, body = Reply), (status = 404, body = Refusal)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    access: Access,
) -> Result<axum::response::Response, Refusal> {
    let request = DeleteRequest {
        author: Some(access.author),
        tenant: access.tenant.to_string(),
        object: String::new(),
    };
    let reply = app.control.delete(request).await;
    // Of one that is gone already, too: what an earlier deletion left must not be another's of that name.
    if matches!(reply, Ok(_) | Err(Error::NotFound { .. })) {
        sounds::forget(&app, &access.tenant).await;
    }
    answer(reply?)
}

/// Where a tenant is to go.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Destination {
    /// Shard group, from 1.
    group: u32,
}

/// Moves a tenant to another shard group, its calls, queues and agents with it; answers when it is there.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/move", tag = "operation", request_body = Destination,
    params(("tenant" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn relocate(
    State(app): State<Arc<App>>,
    access: Access,
    Body(Destination { group }): Body<Destination>,
) -> Result<StatusCode, Refusal> {
    let (author, tenant) = (Some(access.author), access.tenant.to_string());
    app.control.move_tenant(MoveRequest { author, tenant, group }).await?;
    Ok(StatusCode::NO_CONTENT)
}
