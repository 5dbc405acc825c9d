//! A listener for the services between nodes.

use std::future::Future;

use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::settings::{Security, Settings};

/// Serves until `stop` resolves; streams under way are then ended by their other side.
pub async fn serve(
    listener: TcpListener,
    routes: Routes,
    settings: &Settings,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let builder = match settings.security {
        Security::Plain => Server::builder(),
    };
    builder
        .http2_keepalive_interval(Some(settings.keepalive))
        .http2_keepalive_timeout(Some(settings.keepalive))
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20)
        .add_routes(routes)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stop)
        .await
}
