//! The listening side: connections come out when their handshake is done.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::refusals::is_silence;
use super::{Mutual, Shared, reason};

/// Handshakes at a time; who comes later waits in the kernel's queue.
const MOST: usize = 256;
/// After the process ran out of file descriptors or memory.
const BREATH: Duration = Duration::from_millis(100);

type Accepted = TlsStream<TcpStream>;

impl Mutual {
    /// Connections from nodes of the cluster. A handshake has `patience`; one that fails is logged and comes to nothing.
    /// Dropping the stream closes the port.
    pub(crate) fn incoming(
        &self,
        listener: TcpListener,
        patience: Duration,
    ) -> impl Stream<Item = io::Result<Accepted>> + use<> {
        let door = Door { listener, shared: self.0.clone(), patience, at_it: JoinSet::new() };
        stream::unfold(door, |mut door| async move { Some((Ok(door.next().await), door)) })
    }
}

struct Door {
    listener: TcpListener,
    shared: Arc<Shared>,
    patience: Duration,
    at_it: JoinSet<Option<Accepted>>,
}

impl Door {
    async fn next(&mut self) -> Accepted {
        loop {
            tokio::select! {
                come = self.listener.accept(), if self.at_it.len() < MOST => self.begin(come).await,
                Some(done) = self.at_it.join_next() => {
                    if let Ok(Some(accepted)) = done {
                        return accepted;
                    }
                }
            }
        }
    }

    async fn begin(&mut self, come: io::Result<(TcpStream, SocketAddr)>) {
        match come {
            Ok((stream, peer)) => {
                self.at_it.spawn(admit(self.shared.clone(), stream, peer, self.patience));
            }
            Err(error) => {
                self.shared.accepting.note(|untold| {
                    tracing::warn!(%error, untold, "connections to this node's gRPC port can't be accepted");
                });
                sleep(BREATH).await;
            }
        }
    }
}

async fn admit(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    patience: Duration,
) -> Option<Accepted> {
    match timeout(patience, shake_hands(&shared, stream)).await {
        Ok(Ok(accepted)) => return Some(accepted),
        Ok(Err(error)) if is_silence(&error) => tracing::debug!(%peer, %error, "no handshake came"),
        Ok(Err(error)) => refused(&shared, peer, &reason::of(&error)),
        Err(_) => refused(&shared, peer, &format!("no handshake in {patience:?}")),
    }
    None
}

async fn shake_hands(shared: &Shared, stream: TcpStream) -> io::Result<Accepted> {
    stream.set_nodelay(true)?;
    let server = shared.material().server.clone();
    TlsAcceptor::from(server).accept(stream).await
}

fn refused(shared: &Shared, peer: SocketAddr, reason: &str) {
    shared.accepting.note(|untold| {
        tracing::warn!(%peer, reason, untold, "a connection to this node's gRPC port was refused");
    });
}
