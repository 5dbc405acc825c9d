//! The port of pages and API where it speaks TLS: connections come out when their handshake is done. Who speaks plain
//! HTTP to it is sent to `https://`.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::astray;

/// The certificate of this moment: handshakes that begin later use the next one.
pub type Certificate = watch::Receiver<Arc<ServerConfig>>;

/// Handshakes at a time; who comes later waits in the kernel's queue.
const MOST: usize = 4096;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// After the process ran out of file descriptors or memory.
const BREATH: Duration = Duration::from_millis(100);
/// The first byte of a TLS handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;

type Accepted = (TlsStream<TcpStream>, SocketAddr);

/// A port that speaks TLS.
pub(crate) struct Door {
    listener: TcpListener,
    certificate: Certificate,
    at_it: JoinSet<Option<Accepted>>,
}

impl Door {
    pub(crate) fn new(listener: TcpListener, certificate: Certificate) -> Self {
        Self { listener, certificate, at_it: JoinSet::new() }
    }

    async fn begin(&mut self, come: io::Result<(TcpStream, SocketAddr)>) {
        match come {
            Ok((stream, peer)) => {
                let acceptor = TlsAcceptor::from(self.certificate.borrow().clone());
                self.at_it.spawn(async move { timeout(PATIENCE, admit(acceptor, stream, peer)).await.ok()? });
            }
            Err(error) => {
                tracing::warn!(%error, "connections to the http port can't be accepted");
                sleep(BREATH).await;
            }
        }
    }
}

impl Listener for Door {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Accepted {
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

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Nothing for who does not finish a handshake: browsers that refuse a certificate are many.
async fn admit(acceptor: TlsAcceptor, stream: TcpStream, peer: SocketAddr) -> Option<Accepted> {
    let mut first = [0];
    if stream.peek(&mut first).await.ok()? == 1 && first[0] != HANDSHAKE {
        astray::send_on(stream).await;
        return None;
    }
    match acceptor.accept(stream).await {
        Ok(accepted) => Some((accepted, peer)),
        Err(error) => {
            tracing::debug!(%peer, %error, "a browser did not finish the handshake");
            None
        }
    }
}
