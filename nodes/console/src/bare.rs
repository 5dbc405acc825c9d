//! The port of a node without the console role: probes and figures, nothing else.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    Console, Error, Options,
    console::serve,
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

impl Console {
    /// Serves `/healthz`, `/readyz` and `/metrics` only, until `shutdown`.
    pub async fn probes_only(options: Options, trouble: Trouble) -> Result<Self, Error> {
        let listen = options.listen;
        let failed = |source| Error::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let (stop, stopping) = watch::channel(false);
        let node = Node { options: Arc::new(options), trouble };
        let server = tokio::spawn(serve(listener, router(node), stopping));
        Ok(Self { addr, stop, server })
    }
}

fn router(node: Node) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
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

    #[tokio::test]
    async fn a_node_without_pages_says_whether_it_is_ready() {
        let trouble = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let told = trouble.clone();
        let options = Options::new(SocketAddr::from(([127, 0, 0, 1], 0)), String::new());
        let node =
            Console::probes_only(options, Arc::new(move || told.lock().clone())).await.expect("listens");
        let status = async |path: &str| {
            let mut stream = tokio::net::TcpStream::connect(node.addr).await.expect("connects");
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.expect("written");
            let mut answer = String::new();
            tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.expect("read");
            answer[9..12].to_owned()
        };
        assert_eq!((status("/healthz").await, status("/readyz").await), ("200".into(), "200".into()));
        assert_eq!((status("/metrics").await, status("/").await), ("200".into(), "404".into()));
        trouble.lock().push("group 1 has no leader".to_owned());
        assert_eq!((status("/healthz").await, status("/readyz").await), ("200".into(), "503".into()));
        node.shutdown().await;
    }
}
