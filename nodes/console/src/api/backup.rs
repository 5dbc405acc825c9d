//! A copy of the whole cluster.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use crate::{app::App, refusal::Refusal};

/// A consistent copy of the running cluster as one file, its keys included: keep it as a secret. An answer that breaks
/// off is no backup; `mangrove backup` checks that.
#[utoipa::path(get, path = "/api/v1/cluster/backup", tag = "operation",
    responses((status = 200, content_type = "application/octet-stream"), (status = 403, body = Refusal)))]
pub(crate) async fn backup(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let bytes = app.control.backup().await?;
    let headers = [(CONTENT_TYPE, "application/octet-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(bytes)).into_response())
}
