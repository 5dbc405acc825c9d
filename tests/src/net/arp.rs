//! Who announces an address (gratuitous ARP), as a neighbour on the wire hears it.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, UdpSocket},
    os::fd::{FromRawFd, OwnedFd},
    time::{Duration, Instant},
};

use anyhow::Result;

use super::Namespace;

/// Length of an ARP packet for IPv4 over Ethernet, and where in it are who sends it, and who is sought.
const LENGTH: usize = 28;
const SENDER: usize = 8;
const TARGET: usize = 18;

/// A network card's address.
pub type Card = [u8; 6];

/// All ARP that a host has heard since this was made. What nobody has read yet waits.
#[derive(Debug)]
pub struct Announcements {
    /// Of the kind that hears packets; it is read as any other.
    socket: UdpSocket,
}

impl Announcements {
    /// Begins to listen there.
    pub fn heard_at(host: &Namespace) -> Result<Self> {
        host.within(|| {
            let (kind, protocol) =
                (libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, (libc::ETH_P_ARP as u16).to_be().into());
            // SAFETY: no memory is passed.
            let descriptor = unsafe { libc::socket(libc::AF_PACKET, kind, protocol) };
            anyhow::ensure!(descriptor >= 0, "no packets are heard: {}", std::io::Error::last_os_error());
            // SAFETY: it has just been opened, and nobody else has it.
            let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
            Ok(Self { socket: descriptor.into() })
        })
    }

    /// The card that announces the address next; none in that time.
    pub fn next(&self, address: Ipv4Addr, within: Duration) -> Result<Option<Card>> {
        let deadline = Instant::now() + within;
        let mut packet = [0; 128];
        loop {
            // A time of zero would be for ever.
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(left))?;
            match self.socket.recv(&mut packet) {
                Ok(LENGTH..) => {
                    if let Some(card) = announcer(&packet, address) {
                        return Ok(Some(card));
                    }
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Who tells of an address that it is its own seeks it, too.
fn announcer(packet: &[u8], address: Ipv4Addr) -> Option<Card> {
    let card = packet[SENDER..SENDER + 6].try_into().ok()?;
    let is_announced = [SENDER + 6, TARGET + 6].iter().all(|at| packet[*at..at + 4] == address.octets());
    is_announced.then_some(card)
}
