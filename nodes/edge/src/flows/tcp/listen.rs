//! Accepts connections.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use mangrove_sip::Transport;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

use crate::{
    flows::{Context, connection},
    metrics::CONNECTIONS_REFUSED,
    udp::share,
};

/// Connections the kernel completes before we take them.
const BACKLOG: i32 = 1_024;
/// After running out of file descriptors: trying again at once would only burn the processor.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    pub(crate) local: SocketAddr,
}

impl Listener {
    /// `beside`: another process listens at the same address and has shared it.
    pub(crate) fn bind(address: SocketAddr, beside: bool) -> Result<Self, crate::Error> {
        let failed = |source| crate::Error::Bind { transport: Transport::Tcp, address, source };
        let listener = bind(address, beside).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, local })
    }

    /// Accepts until the edge stops.
    pub(crate) fn accept(self: Arc<Self>, context: &Context) {
        let context = context.clone();
        let stop = context.stop.clone();
        context.tasks.clone().spawn(async move { stop.run_until_cancelled(self.accept_all(&context)).await });
    }

    /// Lets another process listen at the same address.
    pub(crate) fn share(&self) -> io::Result<()> {
        SockRef::from(&self.listener).set_reuse_port(true)
    }

    async fn accept_all(&self, context: &Context) {
        loop {
            match self.listener.accept().await {
                Ok((stream, remote)) => accept(stream, remote, context),
                Err(error) => {
                    tracing::warn!(%error, local = %self.local, "accepting a connection failed");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

fn accept(stream: TcpStream, remote: SocketAddr, context: &Context) {
    match context.flows.add(Transport::Tcp, remote, true) {
        Ok((flow, outbox)) => {
            tune(&stream)
                .unwrap_or_else(|error| tracing::debug!(%error, %remote, "connection stays untuned"));
            let local = stream.local_addr().unwrap_or(remote);
            connection::start(stream, flow, local, outbox, context);
        }
        Err(full) => {
            metrics::counter!(CONNECTIONS_REFUSED, "reason" => full.to_string()).increment(1);
            tracing::debug!(%remote, limit = %full, "connection refused");
        }
    }
}

/// No waiting for more bytes, and a far end that vanished is noticed within two minutes.
pub(super) fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keep_alive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    SockRef::from(stream).set_tcp_keepalive(&keep_alive)
}

fn bind(address: SocketAddr, beside: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if beside {
        share(&socket, address)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
