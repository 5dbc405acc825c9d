//! UDP: sockets with large kernel buffers, read in batches. Which socket sends follows from the destination, so
//! that a response leaves from where its request came in (RFC 3581 section 4).

use std::{
    collections::HashMap,
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
};

use mangrove_sip::{Source, Transport};
use parking_lot::RwLock;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{metrics::DROPPED, signalling::Signalling};

/// Of the kernel's queues: a burst while we are not scheduled must fit.
const KERNEL_BUFFER: usize = 4 * 1024 * 1024;
/// Datagrams read before other tasks get their turn.
const BATCH: usize = 64;
const LONGEST_DATAGRAM: usize = 65_535;
/// Far ends whose socket is remembered; only kept when there are several sockets.
const REMEMBERED: usize = 65_536;

#[derive(Debug)]
pub(crate) struct Udp {
    sockets: Vec<Bound>,
    heard_on: RwLock<HashMap<SocketAddr, usize>>,
}

#[derive(Debug)]
struct Bound {
    /// None once it is closed.
    socket: RwLock<Option<Arc<UdpSocket>>>,
    local: SocketAddr,
}

impl Udp {
    /// `beside`: another process is bound to the same addresses and has shared them.
    pub(crate) fn bind(addresses: &[SocketAddr], beside: bool) -> Result<Self, crate::Error> {
        let bind_one = |address: &SocketAddr| {
            bind(*address, beside).map_err(|source| crate::Error::Bind {
                transport: Transport::Udp,
                address: *address,
                source,
            })
        };
        let sockets = addresses.iter().map(bind_one).collect::<Result<_, _>>()?;
        Ok(Self { sockets, heard_on: RwLock::default() })
    }

    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.sockets.iter().map(|bound| bound.local)
    }

    /// Sends at once or not at all: when the kernel's queue is full the datagram is lost as any datagram may be.
    /// The kernel is asked directly, for the runtime only knows what it saw when it last looked.
    pub(crate) fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let bound = self.socket_for(to).ok_or_else(|| io::Error::from(ErrorKind::AddrNotAvailable))?;
        let socket = bound.open().ok_or_else(|| io::Error::from(ErrorKind::NotConnected))?;
        match SockRef::from(&*socket).send_to(bytes, &to.into()) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                metrics::counter!(DROPPED, "reason" => "kernel_queue").increment(1);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Lets another process bind the same addresses.
    pub(crate) fn share(&self) -> io::Result<()> {
        let open = self.sockets.iter().filter_map(Bound::open);
        open.into_iter().try_for_each(|socket| SockRef::from(&*socket).set_reuse_port(true))
    }

    /// Closes all sockets once nobody reads: whoever still holds the edge keeps no address with it.
    pub(crate) fn close(&self) {
        self.sockets.iter().for_each(|bound| drop(bound.socket.write().take()));
    }

    fn socket_for(&self, to: SocketAddr) -> Option<&Bound> {
        if let [only] = self.sockets.as_slice() {
            return (only.local.is_ipv4() == to.is_ipv4()).then_some(only);
        }
        let heard = self.heard_on.read().get(&to).and_then(|index| self.sockets.get(*index));
        heard.or_else(|| self.sockets.iter().max_by_key(|bound| fitness(bound.local, to)))
    }

    fn remember(&self, remote: SocketAddr, index: usize) {
        if self.sockets.len() == 1 || self.heard_on.read().get(&remote) == Some(&index) {
            return;
        }
        let mut heard_on = self.heard_on.write();
        if heard_on.len() >= REMEMBERED {
            heard_on.clear();
        }
        heard_on.insert(remote, index);
    }

    /// Starts `readers` tasks on each socket; they end when `stop` is cancelled.
    pub(crate) fn read(
        self: &Arc<Self>,
        readers: usize,
        into: &Arc<Signalling>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) {
        for index in 0..self.sockets.len() {
            for _ in 0..readers.max(1) {
                let (udp, into, stop) = (self.clone(), into.clone(), stop.clone());
                tasks.spawn(async move { stop.run_until_cancelled(udp.read_socket(index, &into)).await });
            }
        }
    }

    async fn read_socket(&self, index: usize, into: &Signalling) {
        let Some(bound) = self.sockets.get(index) else { return };
        let Some(socket) = bound.open() else { return };
        let mut buffer = vec![0; LONGEST_DATAGRAM];
        while socket.readable().await.is_ok() {
            for _ in 0..BATCH {
                match socket.try_recv_from(&mut buffer) {
                    Ok((length, remote)) => {
                        self.remember(remote, index);
                        let source =
                            Source { transport: Transport::Udp, remote, local: bound.local, flow: None };
                        into.datagram(&buffer[..length], source);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => tracing::debug!(%error, local = %bound.local, "reading a datagram failed"),
                }
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Bound {
    fn open(&self) -> Option<Arc<UdpSocket>> {
        self.socket.read().clone()
    }
}

/// How well a socket fits a destination it never heard: its family above all, then loopback with loopback.
fn fitness(local: SocketAddr, to: SocketAddr) -> (bool, bool) {
    (local.is_ipv4() == to.is_ipv4(), local.ip().is_loopback() == to.ip().is_loopback())
}

fn bind(address: SocketAddr, beside: bool) -> io::Result<Bound> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    for outcome in [socket.set_recv_buffer_size(KERNEL_BUFFER), socket.set_send_buffer_size(KERNEL_BUFFER)] {
        outcome.unwrap_or_else(|error| tracing::debug!(%error, %address, "kernel buffer stays small"));
    }
    if beside {
        share(&socket, address)?;
    }
    socket.bind(&address.into())?;
    let socket = UdpSocket::from_std(socket.into())?;
    let local = socket.local_addr()?;
    Ok(Bound { socket: RwLock::new(Some(Arc::new(socket))), local })
}

/// Before it is bound: another process has the same address, which may come to this machine only when all is ready.
pub(crate) fn share(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    socket.set_reuse_port(true)?;
    if address.is_ipv4() { socket.set_freebind_v4(true) } else { socket.set_freebind_v6(true) }
}
