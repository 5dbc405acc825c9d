//! DTLS with one browser, of which nothing but the keys of SRTP is wanted (RFC 5764). The browser is the client. Its
//! certificate must be the one that signalling named: a stranger who stands between shakes no hands.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dimpl::{Dtls, Output};
use mangrove_rtp::srtp::Suite;

use super::{guard::Keys, worker::DATAGRAM};
use crate::certificate::{Certificate, fingerprint};

/// Room for a certificate that the library hands over, for it falls over one that is longer: it keeps 30 datagrams at most.
const BUFFER: usize = 32 * DATAGRAM;
/// Who has shaken hands may not have heard our last words: for so long they are said again on demand.
const AFTERWARDS: Duration = Duration::from_secs(10);
/// A handshake that takes longer is given up; the browser may begin another.
const PATIENCE: Duration = Duration::from_secs(30);

/// The library says no more than this at once.
const OUTPUTS: usize = 100;

/// One handshake.
#[derive(Debug)]
pub(super) struct Handshake {
    dtls: Dtls,
    /// Of the certificate that must be shown.
    wanted: Bytes,
    /// Whether it was.
    is_theirs: bool,
    /// Where the browser was when it spoke last.
    to: SocketAddr,
    /// When something is to be said again.
    due: Option<Instant>,
    ends: Instant,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Progress {
    /// It goes on, or waits to be forgotten.
    Goes,
    /// Hands are shaken.
    Secured(Keys),
    /// It is over, and has led to nothing.
    Failed(String),
}

impl Handshake {
    /// Waits for the first word of a browser that is to show the certificate of this fingerprint.
    pub(super) fn new(certificate: &Certificate, wanted: Bytes, to: SocketAddr) -> Self {
        let now = Instant::now();
        Self {
            dtls: Dtls::new_12(certificate.config(), certificate.pair(), now),
            wanted,
            is_theirs: false,
            to,
            due: None,
            ends: now + PATIENCE,
        }
    }

    /// Takes a datagram of an address that has proven to be the browser's.
    pub(super) fn receive(
        &mut self,
        packet: &[u8],
        from: SocketAddr,
        send: impl FnMut(&[u8], SocketAddr),
    ) -> Progress {
        self.to = from;
        // Its own clock starts with the first look at it.
        if let Err(error) = self.dtls.handle_timeout(Instant::now()) {
            return Progress::Failed(error.to_string());
        }
        // What is merely no word of this handshake is passed over by the library; what it refuses ends it, and the browser may
        // begin another.
        match self.dtls.handle_packet(packet) {
            Ok(()) => self.drain(send),
            Err(error) => Progress::Failed(error.to_string()),
        }
    }

    /// Says again what is due.
    pub(super) fn tick(&mut self, send: impl FnMut(&[u8], SocketAddr)) -> Progress {
        let now = Instant::now();
        if self.due.is_none_or(|due| due > now) {
            return Progress::Goes;
        }
        match self.dtls.handle_timeout(now) {
            Ok(()) => self.drain(send),
            Err(error) => Progress::Failed(error.to_string()),
        }
    }

    /// Whether it may be forgotten.
    pub(super) fn is_over(&self) -> bool {
        self.ends <= Instant::now()
    }

    fn drain(&mut self, mut send: impl FnMut(&[u8], SocketAddr)) -> Progress {
        let (mut exported, mut is_drained, mut buffer) = (None, false, vec![0_u8; BUFFER]);
        for _ in 0..OUTPUTS {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => send(packet, self.to),
                // It comes before our last words, which then are never said.
                Output::PeerCert(certificate) if fingerprint(certificate) != self.wanted => {
                    return Progress::Failed("the certificate is not the one that was signalled".to_owned());
                }
                Output::PeerCert(_) => self.is_theirs = true,
                Output::KeyingMaterial(material, _) => exported = Some(material.to_vec()),
                Output::Timeout(due) => {
                    (self.due, is_drained) = (Some(due), true);
                    break;
                }
                _ => {}
            }
        }
        if !is_drained {
            return Progress::Failed("the handshake says more than there is room for".to_owned());
        }
        let Some(exported) = exported else { return Progress::Goes };
        if !self.is_theirs {
            return Progress::Failed("no certificate was shown".to_owned());
        }
        self.ends = Instant::now() + AFTERWARDS;
        match keys(&exported) {
            Some(keys) => Progress::Secured(keys),
            None => Progress::Failed(format!("{} bytes of keys are for no suite", exported.len())),
        }
    }
}

/// Whether a datagram begins a handshake: what is left of another one must not get into a new one. A record of type 22 in the
/// first epoch, with a ClientHello or a piece of one (RFC 6347 section 4.3.2).
pub(super) fn is_hello(packet: &[u8]) -> bool {
    packet.first() == Some(&22) && packet.get(3..5) == Some(&[0, 0][..]) && packet.get(13) == Some(&1)
}

/// We are the server.
fn keys(exported: &[u8]) -> Option<Keys> {
    let suite = Suite::of_exported(exported.len())?;
    let [client, server] = suite.take_apart(exported)?;
    Some(Keys { suite, ours: server.into(), theirs: Some(client.into()) })
}
