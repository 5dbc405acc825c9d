//! The node's one gRPC port: Raft and membership, and the node's roles for those of other nodes.
//!
//! With `cluster.tls` only nodes of the cluster come in. Without, whoever reaches the port may command calls: it listens
//! on loopback only, and `serve` refuses any other address.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use mangrove_transport::{Security, Settings};
use tokio::{net::TcpSocket, sync::oneshot, task::JoinHandle};
use tonic::service::Routes;

use crate::security;

/// The port, bound before the cluster starts: its address is what other nodes are told. Until it is served it refuses
/// connections: whoever calls a node that starts is to ask another one, not to wait.
#[derive(Debug)]
pub(crate) struct Bound {
    socket: TcpSocket,
    pub(crate) address: SocketAddr,
    /// Both for this port and for calls to those of others.
    pub(crate) settings: Settings,
}

/// Connections that have not been accepted yet.
const BACKLOG: u32 = 1_024;

/// The running services.
#[derive(Debug)]
pub(crate) struct Grpc {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Bound {
    /// Takes the port.
    pub(crate) fn open(listen: SocketAddr, security: Security) -> Result<Self> {
        ensure!(
            listen.ip().is_loopback() || security != Security::Plain,
            "cluster.listen {listen} is not a loopback address, and without certificates whoever reaches it may command calls: \
             make them with `mangrove certs init` and `mangrove certs issue`, and name them in cluster.tls"
        );
        let socket = bind(listen).with_context(|| unusable(listen))?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address, settings: Settings { security, ..Settings::default() } })
    }

    /// Serves until stopped.
    pub(crate) fn serve(self, services: Routes) -> Result<Grpc> {
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = self.socket.listen(BACKLOG).with_context(|| unusable(self.address))?;
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let serving = mangrove_transport::serve(listener, services, &self.settings, stopped);
            tokio::select! {
                ended = serving => if let Err(error) = ended {
                    tracing::error!(%error, "gRPC has ended");
                },
                never = security::measure(self.settings.security.clone()) => match never {},
            }
        });
        Ok(Grpc { stop, task })
    }
}

fn bind(listen: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    Ok(socket)
}

fn unusable(listen: SocketAddr) -> String {
    format!("cluster.listen {listen} can't be used")
}

impl Grpc {
    /// Ends the port; streams that are open are cut.
    pub(crate) fn stop(self) {
        // A server that ended by itself needs no telling.
        let _ = self.stop.send(());
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn a_port_refuses_until_it_is_served_and_is_nobody_elses() {
        let bound = Bound::open(([127, 0, 0, 1], 0).into(), Security::Plain).expect("a free port");
        let address = bound.address;
        let refused = TcpStream::connect(address).await.expect_err("nobody listens yet");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let grpc = bound.serve(Routes::default()).expect("the port is ours");
        TcpStream::connect(address).await.expect("it is served");
        let taken = Bound::open(address, Security::Plain).expect_err("it is taken");
        assert!(taken.to_string().contains("can't be used"), "{taken}");
        grpc.stop();
    }
}
