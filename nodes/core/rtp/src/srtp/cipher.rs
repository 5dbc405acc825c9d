//! One kind of packets (RTP, or RTCP) of one direction, under its session keys.
//!
//! ```text
//! counter mode  RTP   header | payload, encrypted | tag            the tag is over all before it and the rollover counter
//!               RTCP  8 bytes | rest, encrypted | E, index | tag   the tag is over all before it
//! Galois        RTP   header | payload, encrypted | tag            the header is authenticated, too
//!               RTCP  8 bytes | rest, encrypted | tag | E, index   so are the first 8 bytes and the index
//! ```

use std::fmt;

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::EncryptingKey,
    constant_time::verify_slices_are_equal,
    hmac,
};

use super::{
    Suite,
    derive::{Kind, Master, Part, apply, counter_mode},
};

/// Bytes of a compound that stay as they are.
const RTCP_HEAD: usize = 8;
/// "It is encrypted", in the word with an SRTCP packet's index.
pub(super) const ENCRYPTED: u32 = 1 << 31;
/// Bytes of that word.
const WORD: usize = 4;
/// Bytes of SRTCP's tag in counter mode, whatever RTP's has (RFC 4568 section 6.2.2).
const RTCP_TAG: usize = 10;
/// Bytes of a tag of Galois/counter mode.
const GCM_TAG: usize = 16;

/// Which packet it is. Under one key each is sealed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ssrc: u32,
    /// 48 bits for RTP, 31 for RTCP.
    pub(super) index: u64,
}

impl Place {
    fn rollover(self) -> [u8; WORD] {
        ((self.index >> 16) as u32).to_be_bytes()
    }

    fn word(self) -> [u8; WORD] {
        (self.index as u32 | ENCRYPTED).to_be_bytes()
    }

    /// Source and index, mixed into a salt from `at` on.
    fn mix<const N: usize>(self, mut salt: [u8; N], at: usize) -> [u8; N] {
        let index = self.index.to_be_bytes();
        let place = self.ssrc.to_be_bytes().into_iter().chain(index.into_iter().skip(2));
        salt.iter_mut().skip(at).zip(place).for_each(|(salt, byte)| *salt ^= byte);
        salt
    }
}

/// What seals and opens.
pub(super) enum Cipher {
    Counter(Box<Counter>),
    Galois(Box<Galois>),
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Counter(_)) { "Counter" } else { "Galois" })
    }
}

impl Cipher {
    pub(super) fn new(suite: Suite, master: &Master, kind: Kind) -> Option<Self> {
        let tag = if suite == Suite::Cm32 && kind == Kind::Rtp { 4 } else { RTCP_TAG };
        Some(match suite {
            Suite::Cm80 | Suite::Cm32 => Self::Counter(Box::new(Counter::new(master, kind, tag)?)),
            Suite::Gcm128 => Self::Galois(Box::new(Galois::new::<16>(master, kind)?)),
            Suite::Gcm256 => Self::Galois(Box::new(Galois::new::<32>(master, kind)?)),
        })
    }

    /// Encrypts what lies behind `body`, and puts the tag behind it.
    pub(super) fn seal_rtp(&self, packet: &mut Vec<u8>, body: usize, place: Place) -> Option<()> {
        match self {
            Self::Counter(counter) => {
                counter.encrypt(packet.get_mut(body..)?, place)?;
                let tag = counter.sign(packet, &place.rollover());
                packet.extend_from_slice(&tag.as_ref()[..counter.tag]);
            }
            Self::Galois(galois) => {
                let (head, secret) = packet.split_at_mut_checked(body)?;
                let tag = galois.seal(place, head, secret)?;
                packet.extend_from_slice(&tag);
            }
        }
        Some(())
    }

    /// The same for a compound, with its index.
    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, place: Place) -> Option<()> {
        let word = place.word();
        match self {
            Self::Counter(counter) => {
                counter.encrypt(packet.get_mut(RTCP_HEAD..)?, place)?;
                packet.extend_from_slice(&word);
                let tag = counter.sign(packet, &[]);
                packet.extend_from_slice(&tag.as_ref()[..counter.tag]);
            }
            Self::Galois(galois) => {
                let (head, secret) = packet.split_at_mut_checked(RTCP_HEAD)?;
                let tag = galois.seal(place, &with_word(head, word)?, secret)?;
                packet.extend_from_slice(&tag);
                packet.extend_from_slice(&word);
            }
        }
        Some(())
    }

    /// Bytes of the plain packet, which is the front of `packet` then. None: it is not from who has the key, or another
    /// one than `place` says; then it is as it was.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        body: usize,
        place: Place,
        scratch: &mut Vec<u8>,
    ) -> Option<usize> {
        match self {
            Self::Counter(counter) => {
                let end = end(packet, counter.tag, body)?;
                counter.verify(&packet[..end], &place.rollover(), &packet[end..])?;
                counter.encrypt(&mut packet[body..end], place)?;
                Some(end)
            }
            Self::Galois(galois) => {
                let end = end(packet, GCM_TAG, body)?;
                galois.open(place, &packet[..body], &packet[body..end], &packet[end..], scratch)?;
                packet[body..end].copy_from_slice(scratch);
                Some(end)
            }
        }
    }

    /// The word with a compound's index, before anybody knows whether it is right.
    pub(super) fn word(&self, packet: &[u8]) -> Option<u32> {
        let behind = match self {
            Self::Counter(counter) => counter.tag,
            Self::Galois(_) => 0,
        };
        let end = packet.len().checked_sub(behind)?;
        packet[..end].last_chunk().map(|word| u32::from_be_bytes(*word))
    }

    /// As `open_rtp`, for a compound whose index is `place`'s.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], place: Place, scratch: &mut Vec<u8>) -> Option<usize> {
        match self {
            Self::Counter(counter) => {
                let end = end(packet, WORD + counter.tag, RTCP_HEAD)?;
                let (signed, tag) = packet.split_at(end + WORD);
                counter.verify(signed, &[], tag)?;
                counter.encrypt(&mut packet[RTCP_HEAD..end], place)?;
                Some(end)
            }
            Self::Galois(galois) => {
                let end = end(packet, GCM_TAG + WORD, RTCP_HEAD)?;
                let head = with_word(&packet[..RTCP_HEAD], place.word())?;
                let (secret, tag) = (&packet[RTCP_HEAD..end], &packet[end..end + GCM_TAG]);
                galois.open(place, &head, secret, tag, scratch)?;
                packet[RTCP_HEAD..end].copy_from_slice(scratch);
                Some(end)
            }
        }
    }
}

/// Where the plain part ends if `added` bytes were put behind it; none: they would reach into its front.
fn end(packet: &[u8], added: usize, front: usize) -> Option<usize> {
    packet.len().checked_sub(added).filter(|end| *end >= front)
}

fn with_word(head: &[u8], word: [u8; WORD]) -> Option<[u8; RTCP_HEAD + WORD]> {
    let mut both = [0; RTCP_HEAD + WORD];
    both[..RTCP_HEAD].copy_from_slice(head.first_chunk::<RTCP_HEAD>()?);
    both[RTCP_HEAD..].copy_from_slice(&word);
    Some(both)
}

/// AES in counter mode with HMAC-SHA1 (RFC 3711 sections 4.1.1 and 4.2.1).
pub(super) struct Counter {
    key: EncryptingKey,
    salt: [u8; 16],
    authentication: hmac::Key,
    /// Bytes of the tag that are sent.
    tag: usize,
}

impl Counter {
    fn new(master: &Master, kind: Kind, tag: usize) -> Option<Self> {
        let (mut key, mut authentication, mut salt) = ([0; 16], [0; 20], [0; 16]);
        master.derive(kind, Part::Encryption, &mut key)?;
        master.derive(kind, Part::Authentication, &mut authentication)?;
        master.derive(kind, Part::Salt, &mut salt[..14])?;
        let authentication = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &authentication);
        Some(Self { key: counter_mode(&key)?, salt, authentication, tag })
    }

    /// Or decrypts.
    fn encrypt(&self, secret: &mut [u8], place: Place) -> Option<()> {
        apply(&self.key, place.mix(self.salt, 4), secret)
    }

    fn sign(&self, packet: &[u8], behind: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.authentication);
        context.update(packet);
        context.update(behind);
        context.sign()
    }

    fn verify(&self, packet: &[u8], behind: &[u8], tag: &[u8]) -> Option<()> {
        let right = self.sign(packet, behind);
        verify_slices_are_equal(&right.as_ref()[..self.tag], tag).ok()
    }
}

/// AES in Galois/counter mode (RFC 7714).
pub(super) struct Galois {
    key: LessSafeKey,
    salt: [u8; 12],
}

impl Galois {
    fn new<const N: usize>(master: &Master, kind: Kind) -> Option<Self> {
        let (mut key, mut salt) = ([0; N], [0; 12]);
        master.derive(kind, Part::Encryption, &mut key)?;
        master.derive(kind, Part::Salt, &mut salt)?;
        Self::with_session_key(&key, salt)
    }

    pub(super) fn with_session_key(key: &[u8], salt: [u8; 12]) -> Option<Self> {
        let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
        Some(Self { key: LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?), salt })
    }

    fn nonce(&self, place: Place) -> Nonce {
        Nonce::assume_unique_for_key(place.mix(self.salt, 2))
    }

    fn seal(&self, place: Place, known: &[u8], secret: &mut [u8]) -> Option<[u8; GCM_TAG]> {
        let known = Aad::from(known);
        let tag = self.key.seal_in_place_separate_tag(self.nonce(place), known, secret).ok()?;
        tag.as_ref().try_into().ok()
    }

    /// Into `plain`: of a packet that is not right nothing may change, for its index may be tried anew.
    fn open(&self, place: Place, known: &[u8], secret: &[u8], tag: &[u8], plain: &mut Vec<u8>) -> Option<()> {
        plain.clear();
        plain.resize(secret.len(), 0);
        self.key.open_separate_gather(self.nonce(place), Aad::from(known), secret, tag, plain).ok()
    }
}
