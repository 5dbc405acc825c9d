//! The node's one gRPC port: Raft and membership, and the node's roles for those of other nodes.
//!
//! With `cluster.tls` only nodes of the cluster come in. Without, whoever reaches the port may command calls: it listens
//! on loopback only, and `serve` refuses any other address.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use mangrove_transport::{Security, Settings};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::service::Routes;

use crate::security;

/// The listening port, bound before the cluster starts: its address is what other nodes are told.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    /// Both for this port and for calls to those of others.
    pub(crate) settings: Settings,
}

/// The running services.
#[derive(Debug)]
pub(crate) struct Grpc {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Bound {
    /// Takes the port.
    pub(crate) async fn open(listen: SocketAddr, security: Security) -> Result<Self> {
        ensure!(
            listen.ip().is_loopback() || security != Security::Plain,
            "cluster.listen {listen} is not a loopback address, and without certificates whoever reaches it may command calls: \
             make them with `mangrove certs init` and `mangrove certs issue`, and name them in cluster.tls"
        );
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cluster.listen {listen} can't be used"))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, settings: Settings { security, ..Settings::default() } })
    }

    /// Serves until stopped.
    pub(crate) fn serve(self, services: Routes) -> Grpc {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let serving = mangrove_transport::serve(self.listener, services, &self.settings, stopped);
            tokio::select! {
                ended = serving => if let Err(error) = ended {
                    tracing::error!(%error, "gRPC has ended");
                },
                never = security::measure(self.settings.security.clone()) => match never {},
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
