//! Seals what goes to one far end.

use super::{
    Suite,
    cipher::{Cipher, ENCRYPTED, Place},
    head::Head,
    window::Window,
};

/// One direction's master key at work. Its stream must have a source that no other sender with the same key has had,
/// and its first sequence number should be below 2^15, so that a receiver who misses the first packets guesses right
/// (RFC 3711 section 3.3.1).
#[derive(Debug)]
pub struct Sender {
    rtp: Cipher,
    rtcp: Cipher,
    sent: Option<(u32, Window)>,
    /// Compounds sealed.
    reports: u32,
}

impl Sender {
    /// None when the key has another length than the suite's.
    pub fn new(suite: Suite, key: &[u8]) -> Option<Self> {
        let [rtp, rtcp] = suite.ciphers(key)?;
        Some(Self { rtp, rtcp, sent: None, reports: 0 })
    }

    /// Seals a whole RTP packet, which grows by at most [`super::MOST_ADDED`] bytes. False when it must not be sent: it
    /// is no RTP, or its number was used before or is too far back to tell.
    pub fn protect(&mut self, packet: &mut Vec<u8>) -> bool {
        self.seal(packet).is_some()
    }

    fn seal(&mut self, packet: &mut Vec<u8>) -> Option<()> {
        let Head { sequence, ssrc, body } = Head::read(packet)?;
        let mut window = self.sent.filter(|(sent, _)| *sent == ssrc).map(|(_, window)| window);
        let index = match &window {
            Some(window) => window.nearest(sequence).filter(|index| window.is_new(*index))?,
            None => sequence.into(),
        };
        self.rtp.seal_rtp(packet, body, Place { ssrc, index })?;
        let window = window.get_or_insert(Window::at(index));
        window.note(index);
        self.sent = Some((ssrc, *window));
        Some(())
    }

    /// The same for a compound of RTCP, of at least 8 bytes.
    pub fn protect_rtcp(&mut self, compound: &mut Vec<u8>) -> bool {
        let Some(ssrc) = ssrc(compound) else { return false };
        self.reports = self.reports.wrapping_add(1) & !ENCRYPTED;
        self.rtcp.seal_rtcp(compound, Place { ssrc, index: self.reports.into() }).is_some()
    }
}

/// Who sends a compound.
pub(super) fn ssrc(compound: &[u8]) -> Option<u32> {
    compound.get(4..)?.first_chunk().map(|ssrc| u32::from_be_bytes(*ssrc))
}
