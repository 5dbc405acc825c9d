//! For machines that watch the node: alive, ready, and its figures.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use crate::{access, app::App, console::Options, refusal::Refusal};

/// What `/healthz` says of a node that serves; of one that starts it says `starting`. Both are alive.
pub(crate) const ALIVE: &str = "ok\n";
/// A probe that hangs is worse than one that fails.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(|| async { ALIVE }))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
}

/// Ready when control answers and has no trouble. History may be away: calls go on without it, so that is told but no reason to be
/// taken out of service.
async fn ready(State(app): State<Arc<App>>) -> Response {
    let start = Instant::now();
    let control = tokio::time::timeout(PATIENCE, app.control.status());
    let history = tokio::time::timeout(PATIENCE, app.history.ping());
    let (control, history) = tokio::join!(control, history);
    let control = match control {
        Ok(Ok(status)) => trouble(&status.json).unwrap_or_else(|| "ok".to_owned()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".to_owned(),
    };
    let history = match history {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".to_owned(),
    };
    let status = if control == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let took = start.elapsed().as_millis();
    (status, Json(json!({"control": control, "history": history, "took_ms": took}))).into_response()
}

/// What the node says against getting work.
fn trouble(status: &[u8]) -> Option<String> {
    let status: serde_json::Value = serde_json::from_slice(status).ok()?;
    let reasons: Vec<_> = status["trouble"].as_array()?.iter().filter_map(|reason| reason.as_str()).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Figures tell much about a company: they are for the operator, and for collectors on the same machine.
async fn figures(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if !may_read(&app.options, address, &headers) {
        return Err(Refusal::unauthenticated());
    }
    Ok(page(&app.options))
}

/// Whether the asker may see the figures.
pub(crate) fn may_read(options: &Options, address: SocketAddr, headers: &HeaderMap) -> bool {
    let forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
    let near = address.ip().is_loopback() && !forwarded;
    near || access::is_operator(&options.admin_token, headers)
}

/// The figures.
pub(crate) fn page(options: &Options) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, (options.metrics)()).into_response()
}

#[cfg(test)]
mod tests {
    use super::trouble;

    #[test]
    fn a_node_with_trouble_is_not_ready_and_says_why() {
        let told = trouble(br#"{"trouble": ["group 3 has no leader", "group 4 has no leader"]}"#);
        assert_eq!(told.as_deref(), Some("group 3 has no leader; group 4 has no leader"));
        assert_eq!(trouble(br#"{"trouble": []}"#), None);
    }
}
