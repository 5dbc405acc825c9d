//! Registers an agent's phone with digest authentication, and keeps it registered.

use std::{net::SocketAddr, time::Duration};

use mangrove_sip::{
    Message, Method,
    digest::{Challenge, Secret, authorize},
};
use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// What a registration asks for, seconds; it is refreshed at half of that.
const EXPIRES: u64 = 300;
/// How long to wait after a refusal before asking again.
const RETRY: Duration = Duration::from_secs(2);

/// A phone's account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Id of the agent in the product.
    pub agent: String,
    pub username: String,
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Why a phone is not registered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no answer to REGISTER of {username} within 32 s")]
    Silence { username: String },
    #[error("REGISTER of {username} was refused with {status}")]
    Refused { username: String, status: u16 },
    #[error("challenge to {username} can't be answered: {source}")]
    Challenge { username: String, source: mangrove_sip::digest::Error },
}

/// Registers once.
pub(crate) async fn register(
    endpoint: &Endpoint,
    account: &Account,
    domain: &str,
    server: SocketAddr,
) -> Result<(), Error> {
    let username = account.username.clone();
    let call_id = endpoint.token();
    let first = request(endpoint, account, domain, &call_id, 1);
    let answer =
        endpoint.request(first, server).await.ok_or(Error::Silence { username: username.clone() })?;
    if answer.status() != Some(401) {
        return settle(&answer, username);
    }
    let challenge = Challenge::choose(answer.headers("WWW-Authenticate"))
        .map_err(|source| Error::Challenge { username: username.clone(), source })?;
    let uri = format!("sip:{domain}");
    let secret = Secret::Password(&account.password);
    let proof = authorize(&challenge, "REGISTER", &uri, &account.username, secret, &endpoint.token(), 1);
    let second = request(endpoint, account, domain, &call_id, 2).with("Authorization", proof);
    let answer =
        endpoint.request(second, server).await.ok_or(Error::Silence { username: username.clone() })?;
    settle(&answer, username)
}

/// Registers again and again; ends with the task.
pub(crate) async fn keep(endpoint: Endpoint, account: Account, domain: String, server: SocketAddr) {
    loop {
        let wait = match register(&endpoint, &account, &domain, server).await {
            Ok(()) => Duration::from_secs(EXPIRES / 2),
            Err(error) => {
                tracing::warn!(%error, "phone is not registered");
                RETRY
            }
        };
        tokio::time::sleep(wait).await;
    }
}

fn settle(answer: &Message, username: String) -> Result<(), Error> {
    match answer.status() {
        Some(200..=299) => Ok(()),
        status => Err(Error::Refused { username, status: status.unwrap_or_default() }),
    }
}

fn request(endpoint: &Endpoint, account: &Account, domain: &str, call_id: &str, cseq: u32) -> Message {
    let user = &account.username;
    Message::request(Method::REGISTER, format!("sip:{domain}"))
        .with("Max-Forwards", 70)
        .with("From", format!("<sip:{user}@{domain}>;tag={call_id}"))
        .with("To", format!("<sip:{user}@{domain}>"))
        .with("Call-ID", call_id)
        .with("CSeq", format!("{cseq} REGISTER"))
        .with("Contact", format!("<sip:{user}@{}>", endpoint.local()))
        .with("Expires", EXPIRES)
}
