//! TURN servers: they carry the sound of browsers that UDP does not reach. A browser gets credentials that are good for a
//! while and that servers check without knowing anybody: the name says until when, the password is made of the name and of a
//! secret that we share with them (coturn's `use-auth-secret`).

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use mangrove_proto::service::Login;
use serde::Serialize;
use utoipa::ToSchema;

/// The servers that browsers are told of.
#[derive(Clone, Default)]
pub struct Turn {
    /// Of RFC 7065: `turn:HOST:PORT?transport=udp`; and of RFC 7064: `stun:HOST`. Empty: there are none.
    pub servers: Vec<String>,
    /// What TURN servers share with us; servers of STUN alone need none.
    pub secret: String,
    /// Seconds for which credentials are good.
    pub lifetime: u64,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("servers", &self.servers).finish_non_exhaustive()
    }
}

/// As a browser takes it (`RTCIceServer`).
#[derive(Serialize, ToSchema)]
pub(crate) struct IceServer {
    urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
}

impl Turn {
    /// What this person's browser may use from `now` on, in Unix seconds.
    pub(crate) fn ice_servers(&self, login: &Login, now: u64) -> Vec<IceServer> {
        let (turn, stun): (Vec<_>, Vec<_>) =
            self.servers.iter().cloned().partition(|server| server.starts_with("turn"));
        let username = format!("{}:{}.{}", now.saturating_add(self.lifetime), login.tenant, login.employee);
        let credential = credential(&self.secret, &username);
        let plain = IceServer { urls: stun, username: None, credential: None };
        let closed = IceServer { urls: turn, username: Some(username), credential: Some(credential) };
        [plain, closed].into_iter().filter(|server| !server.urls.is_empty()).collect()
    }
}

/// The scheme has SHA-1 and nothing else.
fn credential(secret: &str, username: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, username.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login {
        Login {
            email: "anna@acme.example".into(),
            tenant: "acme".into(),
            employee: "anna".into(),
            name: "Anna".into(),
            roles: Vec::new(),
            supervises: Vec::new(),
            password_hash: String::new(),
            epoch: 7,
            page_phone: None,
        }
    }

    fn servers(servers: &[&str]) -> Vec<IceServer> {
        let servers = servers.iter().map(|server| (*server).to_owned()).collect();
        Turn { servers, secret: "north".into(), lifetime: 3_600 }.ice_servers(&login(), 1_700_000_000)
    }

    #[test]
    fn the_password_is_an_hmac_of_the_name() {
        let known = credential("key", "The quick brown fox jumps over the lazy dog");
        assert_eq!(known, "3nybhbi3iqa8ino29wqQcBydtNk=");
        let servers = servers(&["turn:turn.example", "turns:turn.example?transport=tcp"]);
        let [server] = &servers[..] else { panic!("one entry") };
        assert_eq!(server.urls, ["turn:turn.example", "turns:turn.example?transport=tcp"]);
        assert_eq!(server.username.as_deref(), Some("1700003600:acme.anna"));
        assert_eq!(server.credential.as_deref(), Some("MnPVEZLlNuK/R7xlweXHcLzohpg="));
    }

    #[test]
    fn who_needs_no_credentials_gets_none() {
        let both = servers(&["turn:a.example", "stun:b.example"]);
        let [stun, turn] = &both[..] else { panic!("two entries") };
        assert_eq!((&stun.urls[..], &stun.username), (&["stun:b.example".to_owned()][..], &None));
        assert_eq!((turn.urls.len(), turn.username.is_some()), (1, true));
        assert!(servers(&[]).is_empty());
    }

    #[test]
    fn the_secret_is_not_shown() {
        let turn = Turn { servers: vec!["turn:a".into()], secret: "north".into(), lifetime: 1 };
        assert!(!format!("{turn:?}").contains("north"));
    }
}
