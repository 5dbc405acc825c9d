//! A tenant's configuration as one document.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use mangrove_proto::control::{self, ConfigureReply, ConfigureRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::sounds;
use crate::{
    access::Access,
    app::App,
    body::{Asked, too_large},
    refusal::Refusal,
};

/// So long a change that is made waits for the object store, which may know of sounds that are missing.
const STORE_ANSWERS: Duration = Duration::from_secs(2);

/// What a change of configuration did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reply {
    version: u64,
    changes: Vec<Change>,
    /// Not empty: nothing was changed.
    problems: Vec<Problem>,
    warnings: Vec<String>,
    /// Shown this once.
    secrets: Vec<GeneratedSecret>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Change {
    /// `employee/anna`.
    object: String,
    /// `create`, `update`, `delete`.
    action: String,
    /// JSON without secrets; empty for create.
    before: String,
    after: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// `groups[0].members[1]`.
    path: String,
    message: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GeneratedSecret {
    object: String,
    secret: String,
}

#[derive(Debug, Serialize)]
struct Refused {
    #[serde(flatten)]
    refusal: Refusal,
    #[serde(flatten)]
    reply: Reply,
}

/// The whole configuration without secrets, in the format of `mangrove apply`, with its `version`.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/configuration", tag = "configuration",
    params(("tenant" = String, Path)),
    responses((status = 200, body = Value, headers(("ETag", description = "the version"))), (status = 404, body = Refusal)))]
pub(crate) async fn read(State(app): State<Arc<App>>, access: Access) -> Result<Response, Refusal> {
    let document = app.control.configuration(access.tenant.as_str()).await?.json;
    let version =
        serde_json::from_slice::<Value>(&document).map_err(|e| Refusal::fault(&e))?["version"].as_u64();
    let tag = [(header::ETAG, format!("\"{}\"", version.unwrap_or_default()))];
    Ok((tag, json(document)).into_response())
}

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ConfigureQuery {
    /// Only tells what would change.
    #[serde(default)]
    dry_run: bool,
}

/// Makes the tenant what the document says; the same document again changes nothing.
///
/// With `If-Match: "version"` only if the configuration still is that version.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/configuration", tag = "configuration",
    params(("tenant" = String, Path), ConfigureQuery, ("If-Match" = Option<String>, Header)), request_body = Value,
    responses((status = 200, body = Reply), (status = 409, body = Refusal), (status = 422, body = Reply)))]
pub(crate) async fn configure(
    State(app): State<Arc<App>>,
    access: Access,
    Asked(query): Asked<ConfigureQuery>,
    headers: HeaderMap,
    document: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response, Refusal> {
    let document = document.map_err(|_| too_large())?;
    belongs(&document, access.tenant.as_str())?;
    let request = ConfigureRequest {
        author: Some(access.author),
        tenant: access.tenant.to_string(),
        document: document.clone(),
        dry_run: query.dry_run,
        if_version: if_version(&headers)?,
    };
    let mut reply = app.control.configure(request).await?;
    if reply.problems.is_empty() {
        // It is done already, whether the object store answers or not.
        let missing = sounds::missing(&app, &access.tenant, &document);
        reply.warnings.extend(tokio::time::timeout(STORE_ANSWERS, missing).await.unwrap_or_default());
    }
    answer(reply)
}

/// The tenant comes from the path; a document of another one is a mistake.
fn belongs(document: &[u8], tenant: &str) -> Result<(), Refusal> {
    let format = "send the tenant's document as JSON, as `mangrove get -o json` prints it";
    let document: Value = serde_json::from_slice(document)
        .map_err(|e| Refusal::bad(format!("the document is no JSON: {e}"), format))?;
    match document.get("tenant") {
        _ if !document.is_object() => Err(Refusal::bad("the document is no object", format)),
        Some(named) if named != tenant => {
            let message = format!("the document's tenant {named} is not the path's, {tenant}");
            Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", message, "make both the same"))
        }
        _ => Ok(()),
    }
}

fn if_version(headers: &HeaderMap) -> Result<u64, Refusal> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(0) };
    let version = value.to_str().ok().map(|text| text.trim_start_matches("W/").trim_matches('"'));
    match version {
        Some("*") => Ok(0),
        version => version.and_then(|version| version.parse().ok()).ok_or_else(|| {
            Refusal::bad("`If-Match` is no version", "take it from the `ETag` of the configuration")
        }),
    }
}

/// The reply; with problems it is a refusal.
pub(crate) fn answer(reply: ConfigureReply) -> Result<Response, Refusal> {
    let reply = Reply::from(reply);
    if reply.problems.is_empty() {
        return Ok(Json(reply).into_response());
    }
    let message = format!("the configuration has {} problem(s); nothing was changed", reply.problems.len());
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let refusal = Refusal::new(status, "problems", message, "mend what `problems` names");
    Ok((status, Json(Refused { refusal, reply })).into_response())
}

/// JSON that control made.
pub(crate) fn json(document: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

impl From<ConfigureReply> for Reply {
    fn from(reply: ConfigureReply) -> Self {
        Self {
            version: reply.version,
            changes: reply.changes.into_iter().map(Change::from).collect(),
            problems: reply
                .problems
                .into_iter()
                .map(|p| Problem { path: p.path, message: p.message })
                .collect(),
            warnings: reply.warnings,
            secrets: reply.secrets.into_iter().map(GeneratedSecret::from).collect(),
        }
    }
}

impl From<control::Change> for Change {
    fn from(change: control::Change) -> Self {
        Self { object: change.object, action: change.action, before: change.before, after: change.after }
    }
}

impl From<control::GeneratedSecret> for GeneratedSecret {
    fn from(secret: control::GeneratedSecret) -> Self {
        Self { object: secret.object, secret: secret.secret }
    }
}
