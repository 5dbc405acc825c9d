//! Checking a request's credentials.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::algorithm::Algorithm;
use super::credentials::Credentials;
use super::nonce::{Nonces, Worth};
use crate::Message;

/// What is kept of a user's password, per algorithm; made by [`super::ha1`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ha1s {
    pub md5: String,
    pub sha256: String,
}

impl Ha1s {
    /// Both hashes of a password.
    pub fn new(username: &str, realm: &str, password: &str) -> Self {
        Ha1s {
            md5: super::ha1(Algorithm::Md5, username, realm, password),
            sha256: super::ha1(Algorithm::Sha256, username, realm, password),
        }
    }

    fn of(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Md5 => &self.md5,
            Algorithm::Sha256 => &self.sha256,
        }
    }
}

impl std::fmt::Debug for Ha1s {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ha1s(secret)")
    }
}

/// Who a request is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Accepted {
        username: String,
    },
    /// No usable credentials for the realm: challenge.
    Challenge,
    /// A nonce of ours that is too old, or was given to another address: challenge with `stale=true`. The password
    /// was not looked at: else old nonces would tell right guesses from wrong ones for nothing.
    Stale,
    /// Wrong password or unknown user, which nobody can tell apart; count it against the source, and challenge.
    WrongPassword {
        username: String,
    },
    /// Credentials made for another Request-URI: answer 400.
    Malformed,
}

/// Credentials with a good nonce, made for the request they came with; nothing is proven yet.
#[derive(Debug)]
pub struct Claim {
    credentials: Credentials,
    method: String,
}

impl Nonces {
    /// Reads the credentials that `request` has for `realm`, sent from the address `from` at wall time `now_ms`. Err
    /// is the verdict when there is nothing to be proven.
    pub fn claim(&self, request: &Message, realm: &str, from: IpAddr, now_ms: u64) -> Result<Claim, Verdict> {
        let credentials = Credentials::of(request, realm).ok_or(Verdict::Challenge)?;
        match self.worth(&credentials.nonce, realm, from, now_ms) {
            Worth::Foreign => Err(Verdict::Challenge),
            Worth::Stale => Err(Verdict::Stale),
            Worth::Fresh if !credentials.are_for(request) => Err(Verdict::Malformed),
            Worth::Fresh => Ok(Claim { credentials, method: request.method().as_str().to_owned() }),
        }
    }

    /// Both steps at once. `lookup` gives the hashes kept for a user name of the realm.
    pub fn check(
        &self,
        request: &Message,
        realm: &str,
        from: IpAddr,
        now_ms: u64,
        lookup: impl FnOnce(&str) -> Option<Ha1s>,
    ) -> Verdict {
        let claim = match self.claim(request, realm, from, now_ms) {
            Ok(claim) => claim,
            Err(verdict) => return verdict,
        };
        let known = lookup(claim.username());
        let proven = claim.is_proven_by(known.as_ref());
        let username = claim.credentials.username;
        if proven { Verdict::Accepted { username } } else { Verdict::WrongPassword { username } }
    }
}

impl Claim {
    /// Who the sender says it is.
    pub fn username(&self) -> &str {
        &self.credentials.username
    }

    /// Whether it is, by the hashes kept for that name. The work done is the same for users that do not exist.
    pub fn is_proven_by(&self, known: Option<&Ha1s>) -> bool {
        let nobody = Ha1s { md5: "0".repeat(32), sha256: "0".repeat(64) };
        let ha1 = known.unwrap_or(&nobody).of(self.credentials.algorithm);
        self.credentials.prove(&self.method, ha1) && known.is_some()
    }
}
