//! The ports of a media node: pairs of an even one for RTP and the odd one above for RTCP. A port that was given back
//! rests for five seconds, so that late packets of one call never reach the next. A node that hands its ports over lets
//! another process bind them beside it.

use std::{
    collections::{BTreeSet, VecDeque},
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
};

use socket2::{Domain, Protocol, Socket, Type};

/// How long a port rests.
const REST_US: u64 = 5_000_000;
/// Expedited forwarding (RFC 3246), as the traffic class byte: what voice is marked with.
const EXPEDITED: u32 = 46 << 2;
/// Tries to find a free pair when any will do.
const TRIES: usize = 64;

/// Why there are no sockets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("port {port} is not free: {source}")]
    Taken { port: u16, source: io::Error },
    #[error("port {0} can't carry RTP: it must be even and within the configured range")]
    Unfit(u16),
    #[error("all ports of the configured range are in use or resting")]
    Exhausted,
    #[error("no free pair of ports was found")]
    NoneFree,
}

/// One endpoint's two sockets, not blocking.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) port: u16,
}

/// Which ports are whose.
#[derive(Debug)]
pub(crate) struct Ports {
    address: IpAddr,
    /// Whether another process may bind the same ones.
    shared: bool,
    /// First and last even port; None = any.
    range: Option<(u16, u16)>,
    next: u16,
    used: BTreeSet<u16>,
    /// By the end of their rest.
    resting: VecDeque<(u64, u16)>,
    /// The same by number: looked up for every port that is opened.
    rests: BTreeSet<u16>,
}

impl Ports {
    /// Ports of `address` from `first` to `last`; both zero means any. `run` is the number of this run of the node:
    /// each begins at another place of the range, so that its new calls keep clear of the ports that calls of the run
    /// before want back.
    pub(crate) fn new(address: IpAddr, first: u16, last: u16, run: u64) -> Self {
        let first_even = first.saturating_add(first & 1);
        let range = (last != 0).then(|| (first_even, last.saturating_sub(1) & !1));
        let next = range.map_or(0, |(first, last)| begin(first, last, run));
        Self {
            address,
            shared: false,
            range,
            next,
            used: BTreeSet::new(),
            resting: VecDeque::new(),
            rests: BTreeSet::new(),
        }
    }

    /// Whether pairs bound from now on may be bound by another process as well.
    pub(crate) fn share(&mut self, shared: bool) {
        self.shared = shared;
    }

    /// Binds a pair: `wanted`, or the next free one when that is zero. A wanted port need not have rested.
    pub(crate) fn open(&mut self, wanted: u16, now_us: u64) -> Result<Sockets, Error> {
        self.end_rests(now_us);
        let sockets = match (wanted, self.range) {
            (0, Some((first, last))) => self.open_next(first, last)?,
            (0, None) => self.open_any()?,
            (port, range) if port & 1 == 0 && range.is_none_or(|(a, b)| (a..=b).contains(&port)) => {
                bind(self.address, port, self.shared).map_err(|source| Error::Taken { port, source })?
            }
            (port, _) => return Err(Error::Unfit(port)),
        };
        self.used.insert(sockets.port);
        if self.rests.remove(&sockets.port) {
            self.resting.retain(|(_, port)| *port != sockets.port);
        }
        Ok(sockets)
    }

    fn end_rests(&mut self, now_us: u64) {
        while let Some((_, port)) = self.resting.pop_front_if(|(until, _)| *until <= now_us) {
            self.rests.remove(&port);
        }
    }

    /// The pair is closed, or about to be.
    pub(crate) fn close(&mut self, port: u16, now_us: u64) {
        if self.used.remove(&port) {
            self.resting.push_back((now_us + REST_US, port));
            self.rests.insert(port);
        }
    }

    fn is_free(&self, port: u16) -> bool {
        !self.used.contains(&port) && !self.rests.contains(&port)
    }

    /// Round and round, so that a port is used again as late as can be.
    fn open_next(&mut self, first: u16, last: u16) -> Result<Sockets, Error> {
        for _ in 0..=(last.saturating_sub(first) / 2) {
            let port = if (first..=last).contains(&self.next) { self.next } else { first };
            self.next = port.checked_add(2).unwrap_or(first);
            if self.is_free(port)
                && let Ok(sockets) = bind(self.address, port, self.shared)
            {
                return Ok(sockets);
            }
        }
        Err(Error::Exhausted)
    }

    /// The system names a free port; its pair is bound by number, because only such a socket keeps its port when it
    /// is disconnected.
    fn open_any(&self) -> Result<Sockets, Error> {
        (0..TRIES)
            .filter_map(|_| UdpSocket::bind(SocketAddr::new(self.address, 0)).ok()?.local_addr().ok())
            .map(|address| address.port() & !1)
            .find_map(|port| self.is_free(port).then(|| bind(self.address, port, self.shared).ok())?)
            .ok_or(Error::NoneFree)
    }
}

/// Fibonacci hashing: consecutive runs begin far apart.
fn begin(first: u16, last: u16, run: u64) -> u16 {
    let pairs = u64::from(last.saturating_sub(first) / 2) + 1;
    let place = (run.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % pairs;
    first + 2 * place as u16
}

fn bind(address: IpAddr, port: u16, shared: bool) -> io::Result<Sockets> {
    let (rtp, rtcp) = (bind_one(address, port, shared)?, bind_one(address, port + 1, shared)?);
    Ok(Sockets { rtp, rtcp, port })
}

fn bind_one(address: IpAddr, port: u16, shared: bool) -> io::Result<UdpSocket> {
    let address = SocketAddr::new(address, port);
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv4() {
        socket.set_tos_v4(EXPEDITED)?;
    }
    socket.set_nonblocking(true)?;
    if shared {
        socket.set_reuse_port(true)?;
        // The address may come to this machine only when all is ready.
        if address.is_ipv4() { socket.set_freebind_v4(true)? } else { socket.set_freebind_v6(true)? }
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// An address of its own, so that tests never fight for ports.
    fn ports(last_byte: u8, first: u16, last: u16) -> Ports {
        Ports::new(IpAddr::from([127, 0, 31, last_byte]), first, last, 0)
    }

    #[test]
    fn pairs_are_even_and_odd_neighbours() {
        for sockets in [ports(1, 0, 0).open(0, 0).unwrap(), ports(1, 20_001, 20_010).open(0, 0).unwrap()] {
            assert_eq!(sockets.port % 2, 0);
            assert_eq!(sockets.rtp.local_addr().unwrap().port(), sockets.port);
            assert_eq!(sockets.rtcp.local_addr().unwrap().port(), sockets.port + 1);
        }
    }

    #[test]
    fn a_port_rests_for_five_seconds() {
        let mut ports = ports(2, 20_000, 20_003);
        let first = ports.open(0, 0).unwrap();
        assert_eq!((first.port, ports.open(0, 0).unwrap().port), (20_000, 20_002));
        drop(first);
        ports.close(20_000, 1_000);
        assert!(matches!(ports.open(0, 4_900_000), Err(Error::Exhausted)));
        assert_eq!(ports.open(0, 5_001_000).unwrap().port, 20_000);
    }

    #[test]
    fn each_run_begins_elsewhere_and_within_the_range() {
        let begins: BTreeSet<u16> = (0..100).map(|run| begin(20_000, 39_998, run)).collect();
        assert!(
            begins.len() > 90 && begins.iter().all(|port| port % 2 == 0 && (20_000..=39_998).contains(port))
        );
        assert_eq!(begin(20_000, 20_000, 7), 20_000);
    }

    #[test]
    fn a_port_taken_back_while_it_rests_rests_anew() {
        let mut ports = ports(4, 20_000, 20_001);
        drop(ports.open(0, 0).unwrap());
        ports.close(20_000, 0);
        drop(ports.open(20_000, 1_000_000).unwrap());
        ports.close(20_000, 2_000_000);
        assert!(matches!(ports.open(0, 6_900_000), Err(Error::Exhausted)));
        assert_eq!(ports.open(0, 7_000_000).unwrap().port, 20_000);
    }

    #[test]
    fn a_wanted_port_is_had_or_refused() {
        let mut ports = ports(3, 20_000, 20_101);
        let held = ports.open(20_050, 0).unwrap();
        assert_eq!(held.port, 20_050);
        assert!(matches!(ports.open(20_050, 0), Err(Error::Taken { port: 20_050, .. })));
        assert!(matches!(ports.open(20_051, 0), Err(Error::Unfit(_))));
        assert!(matches!(ports.open(30_000, 0), Err(Error::Unfit(_))));
        drop(held);
        ports.close(20_050, 0);
        assert_eq!(ports.open(20_050, 0).unwrap().port, 20_050, "a wanted port need not rest");
    }
}
