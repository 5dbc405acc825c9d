//! The node's one gRPC port: Raft and membership for other control nodes, and the edge and media roles for whoever leads.
//!
//! It speaks plain text until nodes have certificates, and whoever reaches it may command calls: it listens on loopback
//! only, and `serve` refuses any other address.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, ensure};
use mangrove_edge::Edge;
use mangrove_media::Media;
use mangrove_membership::Cluster;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

/// The listening port, bound before the cluster starts: its address is what other nodes are told.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

/// The running services.
#[derive(Debug)]
pub(crate) struct Grpc {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Bound {
    /// Takes the port.
    pub(crate) async fn open(listen: SocketAddr) -> Result<Self> {
        ensure!(
            listen.ip().is_loopback(),
            "cluster.listen {listen} is not a loopback address: gRPC has no mutual TLS yet, and whoever reaches it may command calls"
        );
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cluster.listen {listen} can't be used"))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Serves until stopped.
    pub(crate) fn serve(self, cluster: &Cluster, edge: &Edge, media: &Media) -> Grpc {
        let services = cluster
            .routes()
            .add_service(mangrove_edge::grpc::server(Arc::new(edge.clone())))
            .add_service(mangrove_media::grpc::server(Arc::new(media.clone())));
        let (stop, stopped) = oneshot::channel::<()>();
        let running = Server::builder()
            .add_routes(services)
            .serve_with_incoming_shutdown(TcpListenerStream::new(self.listener), async {
                drop(stopped.await)
            });
        let task = tokio::spawn(async move {
            if let Err(error) = running.await {
                tracing::error!(%error, "gRPC has ended");
            }
        });
        Grpc { stop, task }
    }
}

impl Grpc {
    /// Ends the port; streams that are open are cut.
    pub(crate) fn stop(self) {
        // A server that ended by itself needs no telling.
        let _ = self.stop.send(());
        self.task.abort();
    }
}
