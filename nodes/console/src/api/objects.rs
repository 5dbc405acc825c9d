//! Parts of a tenant's configuration: its employees, groups, numbers, trunks, schemes, conferences, boxes for messages.

use std::sync::Arc;

use axum::{Json, extract::State, response::Response};
use mangrove_proto::control::DeleteRequest;
use serde_json::Value;

use super::configuration::{Reply, answer};
use crate::{access::Access, app::App, body::Named, refusal::Refusal};

/// List in the document, name of one, keys that name it.
const KINDS: &[(&str, &str, &[&str])] = &[
    ("employees", "employee", &["id", "extension"]),
    ("groups", "group", &["id", "extension"]),
    ("numbers", "number", &["number"]),
    ("trunks", "trunk", &["name"]),
    ("schemes", "scheme", &["name"]),
    ("conferences", "conference", &["name", "extension"]),
    ("voicemail", "voicemail", &["name"]),
];

type Kind = (&'static str, &'static str, &'static [&'static str]);

fn kind(list: &str) -> Result<Kind, Refusal> {
    KINDS.iter().find(|(name, _, _)| *name == list).copied().ok_or_else(|| Refusal::missing("such route"))
}

async fn all(app: &App, access: &Access, kind: Kind) -> Result<Vec<Value>, Refusal> {
    let document = app.control.configuration(access.tenant.as_str()).await?.json;
    let mut document: Value = serde_json::from_slice(&document).map_err(|e| Refusal::fault(&e))?;
    match document[kind.0].take() {
        Value::Array(items) => Ok(items),
        _ => Ok(Vec::new()),
    }
}

/// All employees, groups, numbers, trunks, schemes, conferences or boxes for messages, as the document has them.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/{kind}", tag = "configuration",
    params(("tenant" = String, Path), ("kind" = String, Path, description = "employees, groups, numbers, trunks, schemes, conferences, voicemail")),
    responses((status = 200, body = Vec<Value>), (status = 404, body = Refusal)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, list)): Named<(String, String)>,
) -> Result<Json<Vec<Value>>, Refusal> {
    all(&app, &access, kind(&list)?).await.map(Json)
}

/// One of them.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/{kind}/{id}", tag = "configuration",
    params(("tenant" = String, Path), ("kind" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Value), (status = 404, body = Refusal)))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, list, id)): Named<(String, String, String)>,
) -> Result<Json<Value>, Refusal> {
    let kind = kind(&list)?;
    let items = all(&app, &access, kind).await?;
    let named = |item: &Value, key: &&str| item.get(*key).is_some_and(|value| text(value) == id);
    let found = kind.2.iter().find_map(|key| items.iter().find(|item| named(item, key)));
    found.cloned().map(Json).ok_or_else(|| Refusal::missing(&format!("{} {id}", kind.1)))
}

/// Deletes one; refused while others need it.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/{kind}/{id}", tag = "configuration",
    params(("tenant" = String, Path), ("kind" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Reply), (status = 404, body = Refusal), (status = 422, body = Reply)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, list, id)): Named<(String, String, String)>,
) -> Result<Response, Refusal> {
    let object = format!("{}/{id}", kind(&list)?.1);
    let request = DeleteRequest { author: Some(access.author), tenant: access.tenant.to_string(), object };
    answer(app.control.delete(request).await?)
}

/// Extensions and numbers may stand in a document without quotes.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
