//! What a node answers over HTTP without a console, or before it has one: probes and figures, nothing else.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use crate::{
    Options,
    probes::{self, may_read},
    refusal::Refusal,
};

/// Why the node should get no work now; empty: it is ready.
pub type Trouble = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

#[derive(Clone)]
struct Node {
    options: Arc<Options>,
    trouble: Trouble,
}

/// What is served before the node has joined its cluster and its roles run: it is alive, and `why` it is not ready.
pub(crate) fn starting(options: &Options, why: &str) -> Router {
    let told = why.to_owned();
    let refusal = format!("the node starts: {why}");
    router(options, "starting\n", Arc::new(move || vec![told.clone()]))
        .fallback(move || std::future::ready(Refusal::unavailable(refusal.clone())))
}

/// What a node without a console serves.
pub(crate) fn running(options: &Options, trouble: Trouble) -> Router {
    with(router(options, probes::ALIVE, trouble), options.routes.clone())
}

/// A port's own routes and what the binary added.
pub(crate) fn with(own: Router, further: Option<Router>) -> Router {
    match further {
        Some(further) => own.merge(further),
        None => own,
    }
}

fn router(options: &Options, alive: &'static str, trouble: Trouble) -> Router {
    let node = Node { options: Arc::new(options.clone()), trouble };
    Router::new()
        .route("/healthz", get(move || std::future::ready(alive)))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .with_state(node)
}

async fn ready(State(node): State<Node>) -> Response {
    let trouble = (node.trouble)();
    let status = if trouble.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "trouble": trouble }))).into_response()
}

async fn figures(
    State(node): State<Node>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if !may_read(&node.options, address, &headers) {
        return Err(Refusal::unauthenticated());
    }
    Ok(probes::page(&node.options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Console;

    /// The status, and all that follows it.
    async fn get(node: &Console, path: &str) -> (String, String) {
        let mut stream = tokio::net::TcpStream::connect(node.addr).await.expect("connects");
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.expect("read");
        (answer[9..12].to_owned(), answer[12..].to_owned())
    }

    async fn open(why: &str) -> Console {
        let options = Options::new(SocketAddr::from(([127, 0, 0, 1], 0)), String::new());
        Console::open(options, why).await.expect("listens")
    }

    #[tokio::test]
    async fn a_node_that_starts_is_alive_and_says_what_it_waits_for() {
        let node = open("nobody answers").await;
        assert_eq!(get(&node, "/healthz").await.0, "200");
        for why in ["nobody answers", "the roles start"] {
            node.wait(why);
            let (status, answer) = get(&node, "/readyz").await;
            assert!(status == "503" && answer.contains(why), "{status}: {answer}");
            let (status, answer) = get(&node, "/api/v1/status").await;
            assert!(status == "503" && answer.contains("retry-after") && answer.contains(why), "{answer}");
        }
        assert_eq!(get(&node, "/metrics").await.0, "200");
        node.shutdown().await;
    }

    #[tokio::test]
    async fn a_node_without_pages_says_whether_it_is_ready() {
        let trouble = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let told = trouble.clone();
        let node = open("it starts").await;
        node.serve_probes(Arc::new(move || told.lock().clone()));
        let status = async |path: &str| get(&node, path).await.0;
        assert_eq!((status("/healthz").await, status("/readyz").await), ("200".into(), "200".into()));
        assert_eq!((status("/metrics").await, status("/").await), ("200".into(), "404".into()));
        trouble.lock().push("group 1 has no leader".to_owned());
        assert_eq!((status("/healthz").await, status("/readyz").await), ("200".into(), "503".into()));
        node.shutdown().await;
    }

    #[tokio::test]
    async fn what_the_binary_adds_is_served_without_pages_too() {
        let mut node = open("it starts").await;
        node.add_routes(Router::new().route("/sip", axum::routing::get(|| std::future::ready("sip"))));
        assert_eq!(get(&node, "/sip").await.0, "503", "not before the node has anything to serve");
        node.serve_probes(Arc::new(Vec::<String>::new));
        assert_eq!(
            (get(&node, "/sip").await.0, get(&node, "/healthz").await.0),
            ("200".into(), "200".into())
        );
        node.shutdown().await;
    }
}
