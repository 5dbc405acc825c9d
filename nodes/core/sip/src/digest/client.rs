//! Answering a challenge: our trunks' registrars and carriers ask for it.

use super::Error;
use super::algorithm::{Algorithm, Proof, ha1};
use super::fields::{digest_fields, quoted};

/// What a client authenticates with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Secret<'a> {
    Password(&'a str),
    /// Made by [`ha1`] for the challenge's algorithm.
    Ha1(&'a str),
}

impl std::fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Secret::Password(_) => "Password(secret)",
            Secret::Ha1(_) => "Ha1(secret)",
        })
    }
}

/// One `WWW-Authenticate` or `Proxy-Authenticate` value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub realm: String,
    pub nonce: String,
    pub opaque: Option<String>,
    pub algorithm: Algorithm,
    pub stale: bool,
    /// Whether the server offers `qop=auth`; without, the response of RFC 2069 is given.
    qop: bool,
}

impl Challenge {
    pub fn parse(value: &str) -> Result<Challenge, Error> {
        let mut fields = digest_fields(value).ok_or(Error::Malformed)?;
        let named = fields.remove("algorithm");
        let algorithm =
            Algorithm::read(named.as_deref()).ok_or_else(|| Error::Algorithm(named.unwrap_or_default()))?;
        let offered = fields.remove("qop");
        let auth = |qop: &String| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth"));
        if offered.as_ref().is_some_and(|qop| !auth(qop)) {
            return Err(Error::Qop);
        }
        Ok(Challenge {
            realm: fields.remove("realm").ok_or(Error::Malformed)?,
            nonce: fields.remove("nonce").ok_or(Error::Malformed)?,
            opaque: fields.remove("opaque"),
            algorithm,
            stale: fields.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            qop: offered.is_some(),
        })
    }

    /// The first challenge that can be answered: servers put the one they prefer on top (RFC 8760 section 2.4).
    pub fn choose<'a>(values: impl Iterator<Item = &'a str>) -> Result<Challenge, Error> {
        let mut failure = Error::Malformed;
        for value in values {
            match Challenge::parse(value) {
                Ok(challenge) => return Ok(challenge),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

/// The value of `Authorization` that answers `challenge` for a request with `method` to `uri`. `nc` counts the uses
/// of this nonce from 1; `cnonce` is chance.
pub fn authorize(
    challenge: &Challenge,
    method: &str,
    uri: &str,
    username: &str,
    secret: Secret<'_>,
    cnonce: &str,
    nc: u32,
) -> String {
    let Challenge { realm, nonce, algorithm, .. } = challenge;
    let ha1 = match secret {
        Secret::Ha1(ha1) => ha1.to_owned(),
        Secret::Password(password) => ha1(*algorithm, username, realm, password),
    };
    let count = format!("{nc:08x}");
    let proof = Proof { method, uri, nonce, nc: &count, cnonce };
    let response = if challenge.qop {
        proof.response(*algorithm, &ha1)
    } else {
        proof.response_without_qop(*algorithm, &ha1)
    };
    let mut value = format!(
        "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\", algorithm={}",
        quoted(username),
        quoted(realm),
        quoted(nonce),
        quoted(uri),
        algorithm.name()
    );
    if challenge.qop {
        value.push_str(&format!(", qop=auth, nc={count}, cnonce={}", quoted(cnonce)));
    }
    if let Some(opaque) = &challenge.opaque {
        value.push_str(&format!(", opaque={}", quoted(opaque)));
    }
    value
}
