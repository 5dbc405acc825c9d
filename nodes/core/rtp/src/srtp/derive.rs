//! Session keys from a master key and its salt (RFC 3711 section 4.3; RFC 7714 section 11 for the shorter salt), and the
//! key stream that both this and counter mode are made of.

use aws_lc_rs::{
    cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};

/// What a session key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rtp,
    Rtcp,
}

/// Which of a kind's session keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Encryption = 0,
    Authentication = 1,
    Salt = 2,
}

/// A master key. Session keys are derived once: the derivation rate is always zero.
pub(super) struct Master {
    key: EncryptingKey,
    /// Filled up with zeros.
    salt: [u8; 16],
}

impl Master {
    /// None if the key is none of AES, or the salt is longer than 14 bytes.
    pub(super) fn new(key: &[u8], salt: &[u8]) -> Option<Self> {
        let mut filled = [0_u8; 16];
        filled[..14].get_mut(..salt.len())?.copy_from_slice(salt);
        Some(Self { key: counter_mode(key)?, salt: filled })
    }

    /// A session key of the length that `out` has.
    pub(super) fn derive(&self, kind: Kind, part: Part, out: &mut [u8]) -> Option<()> {
        let first: u8 = if kind == Kind::Rtp { 0 } else { 3 };
        let mut iv = self.salt;
        iv[7] ^= first + part as u8;
        out.fill(0);
        apply(&self.key, iv, out)
    }
}

/// AES in counter mode under a key of 16 or 32 bytes.
pub(super) fn counter_mode(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return None,
    };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

/// Encrypts, or decrypts: both are the same.
pub(super) fn apply(key: &EncryptingKey, iv: [u8; 16], data: &mut [u8]) -> Option<()> {
    key.less_safe_encrypt(data, EncryptionContext::Iv128(FixedLength::from(iv))).ok().map(drop)
}
