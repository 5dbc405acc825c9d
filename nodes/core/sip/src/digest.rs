//! Digest authentication, both sides (RFC 7616 as RFC 8760 takes it into SIP): MD5 and SHA-256, `qop=auth`.
//!
//! The server side keeps nothing: a [`Nonces`] signs the time and the client's address into each nonce, so that every
//! node with the cluster's key checks what any other gave out. A nonce is therefore bound to its realm, age and
//! address, not to a count; what a replay within its lifetime could do is in `ASSUMPTIONS.md`.

mod algorithm;
mod client;
mod credentials;
mod fields;
mod nonce;
mod server;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, ha1};
pub use client::{Challenge, Secret, authorize};
pub use nonce::Nonces;
pub use server::{Claim, Ha1s, Verdict};

/// Why a challenge cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("challenge is no digest challenge or malformed")]
    Malformed,
    #[error("challenge asks for algorithm {0}: only MD5 and SHA-256 are known")]
    Algorithm(String),
    #[error("challenge asks for a quality of protection other than auth")]
    Qop,
}
