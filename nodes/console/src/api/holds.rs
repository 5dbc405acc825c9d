//! Recordings that must stay, and recordings that must go. Who said what is kept in the audit log before it is done.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use mangrove_objects::{
    deletion,
    held::{self, Hold},
};
use mangrove_proto::live::Cdr;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    audit::{self, Deed},
    cdrs, time,
};
use crate::{
    access::Access,
    app::App,
    body::{Body, Named},
    refusal::Refusal,
};

/// Letters of a reason.
const LONGEST: usize = 200;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct HoldWish {
    /// Why they must stay: "claim 4711".
    #[serde(default)]
    reason: String,
}

/// Why a call's recordings must stay.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Held {
    author: String,
    /// Unix milliseconds.
    at: u64,
    reason: String,
}

/// The hold on a call's recordings.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/recordings/{call}/hold", tag = "calls",
    params(("tenant" = String, Path), ("call" = String, Path)),
    responses((status = 200, body = Held), (status = 404, body = Refusal)))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, call)): Named<(String, String)>,
) -> Result<Json<Held>, Refusal> {
    let cdr = find(&app, &access, &call).await?;
    let hold = held::held(&*app.objects, (access.tenant.as_str(), &cdr.call.to_string())).await?;
    let Hold { author, at, reason } = hold.ok_or_else(|| Refusal::missing("hold on these recordings"))?;
    Ok(Json(Held { author, at, reason }))
}

/// Holds a call's recordings: neither retention nor a person deletes them until they are released. 409: some of them are
/// gone already, or were being deleted.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/recordings/{call}/hold", tag = "calls", request_body = HoldWish,
    params(("tenant" = String, Path), ("call" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 409, body = Refusal),
        (status = 422, body = Refusal)))]
pub(crate) async fn hold(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, call)): Named<(String, String)>,
    Body(wish): Body<HoldWish>,
) -> Result<StatusCode, Refusal> {
    let cdr = find(&app, &access, &call).await?;
    if wish.reason.chars().count() > LONGEST {
        let action = format!("say it in up to {LONGEST} letters");
        return Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "refused",
            "the reason is too long",
            action,
        ));
    }
    let reason = (!wish.reason.is_empty()).then(|| json!({ "reason": wish.reason }));
    audit::keep(&app, &access, deed("hold", &cdr).change(None, reason)).await?;
    let hold = Hold { author: access.author.name.clone(), at: time::now(), reason: wish.reason };
    let (tenant, call) = (access.tenant.as_str(), cdr.call.to_string());
    if held::hold(&*app.objects, (tenant, &call), &hold, &all(&cdr)).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let (message, action) =
        ("some of these recordings are deleted", "what is left is held: see what there is");
    Err(Refusal::new(StatusCode::CONFLICT, "deleted", message, action))
}

/// Releases a call's recordings.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/recordings/{call}/hold", tag = "calls",
    params(("tenant" = String, Path), ("call" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal)))]
pub(crate) async fn release(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, call)): Named<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let cdr = find(&app, &access, &call).await?;
    audit::keep(&app, &access, deed("release", &cdr)).await?;
    held::release(&*app.objects, (access.tenant.as_str(), &cdr.call.to_string())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a call's recordings: sound, parts and keys. The record of the call stays. 409: they are held.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/recordings/{call}", tag = "calls",
    params(("tenant" = String, Path), ("call" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 409, body = Refusal)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, call)): Named<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let cdr = find(&app, &access, &call).await?;
    let (call, all) = (cdr.call.to_string(), all(&cdr));
    let of = (access.tenant.as_str(), call.as_str());
    if held::held(&*app.objects, of).await?.is_some() {
        return Err(are_held());
    }
    audit::keep(&app, &access, deed("delete", &cdr)).await?;
    if !deletion::delete(&*app.objects, of, &all).await? {
        return Err(are_held());
    }
    let ids: Vec<&str> = all.iter().map(|(id, _)| *id).collect();
    app.history.forget_recordings(&access.tenant, cdr.call, &ids).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A call in sight that has recordings.
async fn find(app: &App, access: &Access, call: &str) -> Result<Cdr, Refusal> {
    let cdr = cdrs::find(app, access, &access.scope, cdrs::call_id(call)?).await?;
    if cdr.recordings.is_empty() { Err(Refusal::missing("recording")) } else { Ok(cdr) }
}

/// Id and object of each.
fn all(cdr: &Cdr) -> Vec<(&str, &str)> {
    cdr.recordings.iter().map(|recording| (recording.id.as_str(), recording.object.as_str())).collect()
}

fn deed<'a>(action: &'a str, cdr: &Cdr) -> Deed<'a> {
    Deed::new(action, format!("recording/{}", cdr.call))
}

fn are_held() -> Refusal {
    let (message, action) = ("these recordings are held", "release them first");
    Refusal::new(StatusCode::CONFLICT, "held", message, action)
}
