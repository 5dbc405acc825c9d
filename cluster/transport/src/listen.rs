//! A listener for the services between nodes.

use std::future::Future;

use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::security::Security;
use crate::settings::Settings;

/// Serves any services until `stop` resolves; streams under way are then ended by their other side.
///
/// With [`Security::Mutual`] only nodes of the cluster come in: all others fail in the handshake.
pub async fn serve(
    listener: TcpListener,
    routes: Routes,
    settings: &Settings,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let router = Server::builder()
        .http2_keepalive_interval(Some(settings.keepalive))
        .http2_keepalive_timeout(Some(settings.keepalive))
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20)
        .add_routes(routes);
    match &settings.security {
        Security::Plain => {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            router.serve_with_incoming_shutdown(incoming, stop).await
        }
        Security::Mutual(mutual) => {
            let incoming = mutual.incoming(listener, settings.connect_timeout);
            router.serve_with_incoming_shutdown(incoming, stop).await
        }
    }
}
