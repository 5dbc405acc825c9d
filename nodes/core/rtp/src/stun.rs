//! STUN as ICE uses it (RFC 8489, RFC 8445 section 7): Binding requests of a browser are read and their proof is checked,
//! and the answer that proves us is written. Nothing else of STUN is known here, nobody is asked anything, and what lacks its
//! proof is answered by nothing.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use aws_lc_rs::hmac;

const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
const HEADER: usize = 20;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
/// Bytes of the two attributes that end a message, with their heads.
const INTEGRITY_LENGTH: usize = 24;
const FINGERPRINT_LENGTH: usize = 8;
/// What a fingerprint is XORed with (RFC 8489 section 14.7).
const MASK: u32 = 0x5354_554E;

/// Whether a packet is STUN, where DTLS and RTP come to the same socket (RFC 7983).
pub fn is_stun(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| *first < 4) && packet.get(4..8) == Some(&COOKIE[..])
}

/// A Binding request whose form is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// `<the asked one's ufrag>:<the asking one's>`.
    pub username: &'a str,
    /// Whether the one who asks has chosen this way for the sound (RFC 8445 section 7.1.2).
    pub uses_candidate: bool,
    /// Cookie and transaction id.
    transaction: &'a [u8],
    /// What the proof is of: all before it.
    proven: &'a [u8],
    proof: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads a packet. None: it is none, or lacks what ICE asks for: USERNAME, MESSAGE-INTEGRITY and a right FINGERPRINT.
    pub fn read(packet: &'a [u8]) -> Option<Self> {
        let (header, body) = packet.split_at_checked(HEADER)?;
        let is_one = u16_at(header, 0)? == BINDING_REQUEST && is_stun(packet);
        if !is_one || usize::from(u16_at(header, 2)?) != body.len() || !has_fingerprint(packet)? {
            return None;
        }
        let (mut username, mut uses_candidate, mut at) = (None, false, HEADER);
        loop {
            let (kind, value) = attribute(packet, at)?;
            match kind {
                USERNAME => username = username.or(std::str::from_utf8(value).ok()),
                USE_CANDIDATE => uses_candidate = true,
                MESSAGE_INTEGRITY => {
                    let (transaction, proven) = (header.get(4..)?, packet.get(..at)?);
                    let (username, proof) = (username?, value);
                    return Some(Self { username, uses_candidate, transaction, proven, proof });
                }
                _ => {}
            }
            at += 4 + value.len().next_multiple_of(4);
        }
    }

    /// Whether whoever wrote it knows the password.
    pub fn is_proven_by(&self, pwd: &str) -> bool {
        let mut all = self.proven.to_vec();
        set_length(&mut all, INTEGRITY_LENGTH);
        hmac::verify(&key(pwd), &all, self.proof).is_ok()
    }

    /// Writes the answer in place of what `out` holds: where the request came from, and our proof.
    pub fn answer(&self, from: SocketAddr, pwd: &str, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&BINDING_SUCCESS.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(self.transaction);
        let (mapped, length) = xored(from, self.transaction);
        push(out, XOR_MAPPED_ADDRESS, &mapped[..length]);
        seal(out, pwd);
    }
}

/// Ends a message with MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 sections 14.5 and 14.7).
pub fn seal(message: &mut Vec<u8>, pwd: &str) {
    set_length(message, INTEGRITY_LENGTH);
    let proof = hmac::sign(&key(pwd), message);
    push(message, MESSAGE_INTEGRITY, proof.as_ref());
    set_length(message, FINGERPRINT_LENGTH);
    let print = crc32(message) ^ MASK;
    push(message, FINGERPRINT, &print.to_be_bytes());
}

fn key(pwd: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, pwd.as_bytes())
}

/// Says how long the message is once `more` bytes have followed.
fn set_length(message: &mut [u8], more: usize) {
    let length = (message.len() + more).saturating_sub(HEADER) as u16;
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

/// Whether a message ends with its fingerprint, and that is right; none where it is shorter than one.
fn has_fingerprint(packet: &[u8]) -> Option<bool> {
    let at = packet.len().checked_sub(FINGERPRINT_LENGTH).filter(|at| *at >= HEADER)?;
    let (kind, print) = attribute(packet, at)?;
    Some(kind == FINGERPRINT && print == (crc32(&packet[..at]) ^ MASK).to_be_bytes())
}

/// The attribute that begins there.
fn attribute(packet: &[u8], at: usize) -> Option<(u16, &[u8])> {
    let length = usize::from(u16_at(packet, at + 2)?);
    Some((u16_at(packet, at)?, packet.get(at + 4..at + 4 + length)?))
}

fn push(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Family, port and address, hidden from NATs that rewrite what looks like an address (RFC 8489 section 14.2), and their
/// length. `mask` is cookie and transaction id.
fn xored(address: SocketAddr, mask: &[u8]) -> ([u8; 20], usize) {
    let mut out = [0; 20];
    out[2..4].copy_from_slice(&address.port().to_be_bytes());
    let length = match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            out[1] = 1;
            out[4..8].copy_from_slice(&ip.octets());
            8
        }
        IpAddr::V6(ip) => {
            out[1] = 2;
            out[4..].copy_from_slice(&ip.octets());
            20
        }
    };
    out[2..4].iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    out[4..length].iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    (out, length)
}

/// CRC-32 as ISO-HDLC has it. A message has some hundred bytes, and there are few of them.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}
