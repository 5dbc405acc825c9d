//! SRTP and SRTCP (RFC 3711) in the suites that SDP names (RFC 4568 section 6.2, RFC 7714 section 12): what goes to one
//! far end is sealed by a [`Sender`], what comes from it is opened by a [`Receiver`]. Keys come from outside; nothing
//! here makes one. Packets are sealed and opened where they lie; after its first packets neither allocates.
//!
//! The rollover counter of a stream is nowhere in its packets. It follows from their order, and for a stream that is
//! not known yet (of a call that another node had before) it is found by trial against the tag. What we send ourselves
//! begins at zero, under a source of its own: the same source and number must never be sealed twice under one key.

mod cipher;
mod derive;
mod head;
mod receiver;
mod sender;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod window;

pub use receiver::Receiver;
pub use sender::Sender;

use cipher::Cipher;
use derive::{Kind, Master};

/// Most bytes that sealing adds to a packet.
pub const MOST_ADDED: usize = 20;

/// How packets are encrypted and authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// AES-128 in counter mode, a tag of 80 bits.
    Cm80,
    /// The same, a tag of 32 bits for RTP.
    Cm32,
    /// AES-128 in Galois/counter mode.
    Gcm128,
    /// AES-256 in Galois/counter mode.
    Gcm256,
}

impl Suite {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cm80, Self::Cm32, Self::Gcm128, Self::Gcm256];

    /// The suite with this name in `a=crypto`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// Its name in `a=crypto`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cm80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Cm32 => "AES_CM_128_HMAC_SHA1_32",
            Self::Gcm128 => "AEAD_AES_128_GCM",
            Self::Gcm256 => "AEAD_AES_256_GCM",
        }
    }

    /// Bytes of a master key with its salt behind it.
    pub fn key_length(self) -> usize {
        self.master_key_length() + self.salt_length()
    }

    /// The suite that so many exported bytes of DTLS are for: those that it knows differ by that (RFC 5764 section 4.1.2,
    /// RFC 7714 section 14.2).
    pub fn of_exported(length: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| 2 * suite.key_length() == length)
    }

    /// Takes exported bytes of DTLS apart (RFC 5764 section 4.2): the client's key and the server's, each with its salt
    /// behind it. None of another length.
    pub fn take_apart(self, exported: &[u8]) -> Option<[Vec<u8>; 2]> {
        let (keys, salts) = exported.split_at_checked(2 * self.master_key_length())?;
        if salts.len() != 2 * self.salt_length() {
            return None;
        }
        let (keys, salts) = (keys.split_at(self.master_key_length()), salts.split_at(self.salt_length()));
        Some([[keys.0, salts.0].concat(), [keys.1, salts.1].concat()])
    }

    fn master_key_length(self) -> usize {
        if self == Self::Gcm256 { 32 } else { 16 }
    }

    fn salt_length(self) -> usize {
        match self {
            Self::Cm80 | Self::Cm32 => 14,
            Self::Gcm128 | Self::Gcm256 => 12,
        }
    }

    /// What seals and opens RTP, and RTCP, under a master key with its salt; none of another length.
    fn ciphers(self, key: &[u8]) -> Option<[Cipher; 2]> {
        let (key, salt) = key.split_at_checked(self.master_key_length())?;
        if salt.len() != self.salt_length() {
            return None;
        }
        let master = Master::new(key, salt)?;
        Some([Cipher::new(self, &master, Kind::Rtp)?, Cipher::new(self, &master, Kind::Rtcp)?])
    }
}
