//! Checking a request's credentials.

use serde::{Deserialize, Serialize};

use super::algorithm::Algorithm;
use super::credentials::Credentials;
use super::nonce::{Age, Nonces};
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
    /// Right password, old nonce: challenge with `stale=true`.
    Stale {
        username: String,
    },
    /// Wrong password or unknown user, which nobody can tell apart; count it against the source, and challenge.
    WrongPassword {
        username: String,
    },
    /// Credentials made for another Request-URI: answer 400.
    Malformed,
}

impl Nonces {
    /// Checks the credentials that `request` has for `realm` at wall time `now_ms`. `lookup` gives the hashes kept for
    /// a user name of that realm. The work done is the same for users that do not exist.
    pub fn check(
        &self,
        request: &Message,
        realm: &str,
        now_ms: u64,
        lookup: impl FnOnce(&str) -> Option<Ha1s>,
    ) -> Verdict {
        let Some(credentials) = Credentials::of(request, realm) else { return Verdict::Challenge };
        let age = self.age(&credentials.nonce, realm, now_ms);
        if age == Age::Foreign {
            return Verdict::Challenge;
        }
        if !credentials.are_for(request) {
            return Verdict::Malformed;
        }
        let known = lookup(&credentials.username);
        let nobody = Ha1s { md5: "0".repeat(32), sha256: "0".repeat(64) };
        let ha1s = known.as_ref().unwrap_or(&nobody);
        let proven = credentials.prove(request.method().as_str(), ha1s.of(credentials.algorithm));
        let username = credentials.username;
        match (proven && known.is_some(), age) {
            (false, _) => Verdict::WrongPassword { username },
            (true, Age::Fresh) => Verdict::Accepted { username },
            (true, _) => Verdict::Stale { username },
        }
    }
}
