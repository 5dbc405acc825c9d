//! One Via value (RFC 3261 section 20.42).

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Error;
use crate::MAGIC;
use crate::uri::{Params, host_ip, read_host_port};

/// Where a request came through. The transport is text: transports we do not speak are well-formed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    pub transport: String,
    /// IPv6 in brackets.
    pub host: String,
    pub port: Option<u16>,
    pub params: Params,
}

impl Via {
    /// Reads a value; white space may stand around the slashes, the colon and the semicolons.
    pub fn parse(text: &str) -> Result<Via, Error> {
        let end = text.find(';').unwrap_or(text.len());
        let (protocol, params) = text.split_at(end);
        let (name, rest) = protocol.split_once('/').ok_or(Error::Via)?;
        let (version, rest) = rest.split_once('/').ok_or(Error::Via)?;
        if !name.trim().eq_ignore_ascii_case("SIP") || version.trim() != "2.0" {
            return Err(Error::Via);
        }
        let (transport, sent_by) = rest.trim().split_once([' ', '\t']).ok_or(Error::Via)?;
        let (host, port) = sent_by_of(sent_by.trim())?;
        let params = Params::read(params).map_err(|_| Error::Via)?;
        let via = Via { transport: transport.to_owned(), host, port, params };
        if via.is_sound() { Ok(via) } else { Err(Error::Via) }
    }

    fn is_sound(&self) -> bool {
        let number = |text: &str| text.is_empty() || text.parse::<u16>().is_ok();
        self.params.get("rport").is_none_or(number)
            && self.params.get("received").is_none_or(|text| host_ip(text).is_some())
            && self.params.get("branch").is_none_or(|branch| !branch.is_empty())
    }

    /// The branch, if there is one at all.
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch")
    }

    /// Whether the branch names the transaction by itself: made by an element of RFC 3261, and not empty after the
    /// cookie (RFC 4475 section 3.2.1).
    pub fn has_magic_branch(&self) -> bool {
        self.branch()
            .and_then(|branch| branch.get(..MAGIC.len()).map(|cookie| (cookie, branch)))
            .is_some_and(|(cookie, branch)| cookie.eq_ignore_ascii_case(MAGIC) && branch.len() > MAGIC.len())
    }

    /// The address the request really came from, where the server before us noted it. Brackets are tolerated
    /// (RFC 5118 section 4.5).
    pub fn received(&self) -> Option<IpAddr> {
        host_ip(self.params.get("received")?)
    }

    /// The port the request really came from (RFC 3581); None for an unfilled `rport`.
    pub fn rport(&self) -> Option<u16> {
        self.params.get("rport")?.parse().ok()
    }

    /// `host:port` as sent: a part of the transaction's key.
    pub fn sent_by(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

fn sent_by_of(text: &str) -> Result<(String, Option<u16>), Error> {
    if !text.contains([' ', '\t']) {
        let (host, port) = read_host_port(text).map_err(|_| Error::Via)?;
        return Ok((host.to_owned(), port));
    }
    let joined: String = text.split(':').map(str::trim).collect::<Vec<_>>().join(":");
    let (host, port) = read_host_port(&joined).map_err(|_| Error::Via)?;
    Ok((host.to_owned(), port))
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)
    }
}
