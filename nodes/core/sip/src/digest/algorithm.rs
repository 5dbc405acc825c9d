//! The hashes, and what is hashed.

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A hash of RFC 8760. rsip's type is not used: it writes `SHA256` where the RFC says `SHA-256`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    /// As written in challenges and credentials.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// Reads a name in any case; no name means MD5 (RFC 7616 section 3.3).
    pub fn read(name: Option<&str>) -> Option<Algorithm> {
        let name = name.unwrap_or("MD5");
        [Algorithm::Md5, Algorithm::Sha256].into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn hex(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => hex::encode(Md5::digest(text)),
            Algorithm::Sha256 => hex::encode(Sha256::digest(text)),
        }
    }
}

/// What is kept instead of a password: the hash over user, realm and password, in hexadecimal.
pub fn ha1(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> String {
    algorithm.hex(&format!("{username}:{realm}:{password}"))
}

/// What a response is made of, beyond the secret.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proof<'a> {
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) nonce: &'a str,
    /// Eight hexadecimal digits.
    pub(super) nc: &'a str,
    pub(super) cnonce: &'a str,
}

impl Proof<'_> {
    /// The response with `qop=auth` (RFC 7616 section 3.4.1).
    pub(super) fn response(&self, algorithm: Algorithm, ha1: &str) -> String {
        let Proof { method, uri, nonce, nc, cnonce } = self;
        let ha2 = algorithm.hex(&format!("{method}:{uri}"));
        algorithm.hex(&format!("{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}"))
    }

    /// The response without qop, of RFC 2069; only for servers that offer nothing else.
    pub(super) fn response_without_qop(&self, algorithm: Algorithm, ha1: &str) -> String {
        let ha2 = algorithm.hex(&format!("{}:{}", self.method, self.uri));
        algorithm.hex(&format!("{ha1}:{}:{ha2}", self.nonce))
    }
}
