//! Nonces that carry their own proof: the time they were made, a mark of whom they were made for, and an HMAC over
//! both and the realm. The mark is apart from the proof, so that a nonce of ours in the wrong hands is told from one
//! that never was ours.

use std::fmt;
use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::algorithm::Algorithm;
use super::credentials::same;

/// Makes and checks nonces; equal keys check each other's.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonces {
    key: [u8; 32],
    lifetime_ms: u64,
}

/// How good a nonce is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    Fresh,
    /// Ours, but too old or made for another address: nothing said with it counts.
    Stale,
    Foreign,
}

/// A clock may be this far ahead of the one that made the nonce, in milliseconds.
const CLOCK_SKEW_MS: u64 = 30_000;
/// Characters of the time, and of the address's mark.
const TIME: usize = 16;
const MARK: usize = 16;

impl Nonces {
    /// `lifetime_ms` is how long a client may use one nonce: shorter means more challenges, longer means a captured
    /// request can be replayed for longer.
    pub fn new(key: [u8; 32], lifetime_ms: u64) -> Self {
        Nonces { key, lifetime_ms }
    }

    /// One `WWW-Authenticate` value an algorithm, SHA-256 first (RFC 8760 section 2.4), for whoever sends from the
    /// address `to`, at time `now_ms` of the wall clock.
    pub fn challenge(&self, realm: &str, to: IpAddr, now_ms: u64) -> Vec<String> {
        self.challenges(realm, to, now_ms, false)
    }

    /// The same, telling the client that only its nonce was refused: it tries again without asking its user.
    pub fn challenge_stale(&self, realm: &str, to: IpAddr, now_ms: u64) -> Vec<String> {
        self.challenges(realm, to, now_ms, true)
    }

    fn challenges(&self, realm: &str, to: IpAddr, now_ms: u64, stale: bool) -> Vec<String> {
        let nonce = self.nonce(realm, to, now_ms);
        let realm = super::fields::quoted(realm);
        let stale = if stale { ", stale=true" } else { "" };
        [Algorithm::Sha256, Algorithm::Md5]
            .map(|algorithm| {
                let name = algorithm.name();
                format!("Digest realm={realm}, nonce=\"{nonce}\", algorithm={name}, qop=\"auth\"{stale}")
            })
            .to_vec()
    }

    fn nonce(&self, realm: &str, to: IpAddr, made_at: u64) -> String {
        let body = format!("{made_at:0TIME$x}{}", self.mark(to));
        let proof = self.hmac(&[b"nonce", body.as_bytes(), realm.as_bytes()]);
        body + &hex::encode(&proof[..16])
    }

    /// Stands for an address without telling it.
    fn mark(&self, address: IpAddr) -> String {
        let address = address.to_canonical().to_string();
        hex::encode(&self.hmac(&[b"address", address.as_bytes()])[..MARK / 2])
    }

    fn hmac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("hmac takes keys of any length");
        for part in parts {
            mac.update(part);
            mac.update(&[0]);
        }
        mac.finalize().into_bytes().into()
    }

    /// What a nonce is worth in the hands of `from`.
    pub(super) fn worth(&self, nonce: &str, realm: &str, from: IpAddr, now_ms: u64) -> Worth {
        let (Some(time), Some(mark)) = (nonce.get(..TIME), nonce.get(TIME..TIME + MARK)) else {
            return Worth::Foreign;
        };
        let Ok(made_at) = u64::from_str_radix(time, 16) else { return Worth::Foreign };
        let proof = self.hmac(&[b"nonce", &nonce.as_bytes()[..TIME + MARK], realm.as_bytes()]);
        if !same(hex::encode(&proof[..16]).as_bytes(), &nonce.as_bytes()[TIME + MARK..]) {
            return Worth::Foreign;
        }
        let from_the_future = made_at > now_ms.saturating_add(CLOCK_SKEW_MS);
        let expired = now_ms.saturating_sub(made_at) > self.lifetime_ms;
        let of_another = mark != self.mark(from);
        if from_the_future || expired || of_another { Worth::Stale } else { Worth::Fresh }
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces").field("lifetime_ms", &self.lifetime_ms).finish_non_exhaustive()
    }
}
