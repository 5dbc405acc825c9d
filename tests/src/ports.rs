//! Free ports, given out once per process.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    sync::atomic::{AtomicU16, Ordering},
};

static NEXT: AtomicU16 = AtomicU16::new(0);
static NEXT_RANGE: AtomicU16 = AtomicU16::new(0);
/// Ports of a range, and ranges between those that `free` gives out and the kernel's ephemeral ones.
const RANGE: u16 = 2_000;
const RANGES: u16 = 6;

/// A port free for both UDP and TCP on loopback. Taken below the kernel's ephemeral range, so that no other socket gets
/// it in between; each process starts elsewhere.
pub fn free() -> u16 {
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000
            + ((std::process::id() as u16).wrapping_mul(37).wrapping_add(step.wrapping_mul(2))) % 9_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// First and last port for a node's sound. Those of six nodes in a row do not overlap: who took a port of one that is away
/// would keep it from its heir.
pub fn range() -> (u16, u16) {
    let step = NEXT_RANGE.fetch_add(1, Ordering::Relaxed);
    let first = 20_000 + (std::process::id() as u16).wrapping_add(step) % RANGES * RANGE;
    (first, first + RANGE - 1)
}

/// As `free`, with loopback's address: nobody's whom the product knows.
pub fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free()).into()
}
