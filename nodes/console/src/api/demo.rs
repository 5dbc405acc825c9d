//! The demo's nodes, for its page. These routes are there in a demo only, and so in no API document.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};

use super::nodes;
use crate::{Act, app::App, body::Named, refusal::Refusal};

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/demo/nodes", get(nodes::list))
        .route("/api/v1/demo/nodes/{node}/kill", post(kill))
        .route("/api/v1/demo/nodes/{node}/revive", post(revive))
}

async fn kill(State(app): State<Arc<App>>, Named(node): Named<String>) -> Result<StatusCode, Refusal> {
    act(&app, &node, Act::Kill).await
}

async fn revive(State(app): State<Arc<App>>, Named(node): Named<String>) -> Result<StatusCode, Refusal> {
    act(&app, &node, Act::Revive).await
}

async fn act(app: &App, node: &str, act: Act) -> Result<StatusCode, Refusal> {
    let demo = app.options.demo.as_ref().ok_or_else(|| Refusal::missing("demo"))?;
    let action = "look at the node on the page and try again";
    let refused = |why| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", why, action);
    demo.act(node, act).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
