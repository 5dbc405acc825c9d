//! Nonces that carry their own proof: the time they were made and an HMAC over it and the realm.

use std::fmt;

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
pub(super) enum Age {
    Fresh,
    Old,
    Foreign,
}

/// A clock may be this far ahead of the one that made the nonce, in milliseconds.
const CLOCK_SKEW_MS: u64 = 30_000;

impl Nonces {
    /// `lifetime_ms` is how long a client may use one nonce: shorter means more challenges, longer means a captured
    /// request can be replayed for longer.
    pub fn new(key: [u8; 32], lifetime_ms: u64) -> Self {
        Nonces { key, lifetime_ms }
    }

    /// One `WWW-Authenticate` value an algorithm, SHA-256 first (RFC 8760 section 2.4), for time `now_ms` of the wall
    /// clock.
    pub fn challenge(&self, realm: &str, now_ms: u64) -> Vec<String> {
        self.challenges(realm, now_ms, false)
    }

    /// The same, telling the client that its password was right and only the nonce too old.
    pub fn challenge_stale(&self, realm: &str, now_ms: u64) -> Vec<String> {
        self.challenges(realm, now_ms, true)
    }

    fn challenges(&self, realm: &str, now_ms: u64, stale: bool) -> Vec<String> {
        let nonce = self.nonce(realm, now_ms);
        let realm = super::fields::quoted(realm);
        let stale = if stale { ", stale=true" } else { "" };
        [Algorithm::Sha256, Algorithm::Md5]
            .map(|algorithm| {
                let name = algorithm.name();
                format!("Digest realm={realm}, nonce=\"{nonce}\", algorithm={name}, qop=\"auth\"{stale}")
            })
            .to_vec()
    }

    fn nonce(&self, realm: &str, made_at: u64) -> String {
        format!("{made_at:016x}{}", self.sign(realm, made_at))
    }

    fn sign(&self, realm: &str, made_at: u64) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("hmac takes keys of any length");
        mac.update(&made_at.to_be_bytes());
        mac.update(realm.as_bytes());
        hex::encode(&mac.finalize().into_bytes()[..16])
    }

    pub(super) fn age(&self, nonce: &str, realm: &str, now_ms: u64) -> Age {
        let Some((time, signature)) = nonce.split_at_checked(16) else { return Age::Foreign };
        let Ok(made_at) = u64::from_str_radix(time, 16) else { return Age::Foreign };
        if !same(self.sign(realm, made_at).as_bytes(), signature.as_bytes()) {
            return Age::Foreign;
        }
        let from_the_future = made_at > now_ms.saturating_add(CLOCK_SKEW_MS);
        let expired = now_ms.saturating_sub(made_at) > self.lifetime_ms;
        if from_the_future || expired { Age::Old } else { Age::Fresh }
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces").field("lifetime_ms", &self.lifetime_ms).finish_non_exhaustive()
    }
}
