//! The node, for its operator.

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::configuration::json;
use crate::{app::App, refusal::Refusal};

/// The node's state: groups led, last log index, calls.
#[utoipa::path(get, path = "/api/v1/status", tag = "operation", responses(
    (status = 200, body = serde_json::Value), (status = 403, body = Refusal)
))]
pub(crate) async fn status(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    Ok(json(app.control.status().await?.json))
}
