//! What a client sent in `Authorization` or `Proxy-Authorization`.

use super::algorithm::{Algorithm, Proof};
use super::fields::digest_fields;
use crate::uri::Uri;
use crate::{Message, Start};

/// Digest credentials with all that `qop=auth` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) algorithm: Algorithm,
    uri: String,
    nc: String,
    cnonce: String,
    response: String,
}

impl Credentials {
    /// The credentials of a request for this realm. Other schemes, realms and algorithms count as none.
    pub(super) fn of(request: &Message, realm: &str) -> Option<Credentials> {
        ["Authorization", "Proxy-Authorization"]
            .into_iter()
            .flat_map(|name| request.headers(name))
            .filter_map(Credentials::read)
            .find(|credentials| credentials.realm == realm)
    }

    fn read(value: &str) -> Option<Credentials> {
        let mut fields = digest_fields(value)?;
        if !fields.get("qop").is_some_and(|qop| qop.eq_ignore_ascii_case("auth")) {
            return None;
        }
        let algorithm = Algorithm::read(fields.get("algorithm").map(String::as_str))?;
        let mut take = |name: &str| fields.remove(name);
        Some(Credentials {
            username: take("username")?,
            realm: take("realm")?,
            nonce: take("nonce")?,
            algorithm,
            uri: take("uri")?,
            nc: take("nc").filter(|nc| nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit()))?,
            cnonce: take("cnonce")?,
            response: take("response")?,
        })
    }

    /// Whether they were made for this request: the same user at the same host. Ports and parameters may differ, for
    /// outbound proxies change them.
    pub(super) fn are_for(&self, request: &Message) -> bool {
        let Start::Request { uri, .. } = &request.start else { return false };
        if *uri == self.uri {
            return true;
        }
        match (Uri::parse(uri), Uri::parse(&self.uri)) {
            (Ok(asked), Ok(proved)) => {
                asked.user() == proved.user() && asked.host.eq_ignore_ascii_case(&proved.host)
            }
            _ => false,
        }
    }

    /// Whether the response proves knowledge of the secret. Takes the same time whatever the answer.
    pub(super) fn prove(&self, method: &str, ha1: &str) -> bool {
        let Credentials { uri, nonce, nc, cnonce, .. } = self;
        let proof = Proof { method, uri, nonce, nc, cnonce };
        let expected = proof.response(self.algorithm, ha1);
        same(expected.as_bytes(), self.response.to_ascii_lowercase().as_bytes())
    }
}

/// Compares without stopping at the first difference; the lengths are no secret.
pub(super) fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}
