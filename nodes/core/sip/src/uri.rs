//! SIP, SIPS and `tel:` URIs (RFC 3261 section 19.1, RFC 3966) and name-addr values, read by our own reader.
//!
//! User parts stay escaped as they came, so that writing gives back what was read; [`Uri::user`] unescapes. URIs of
//! other schemes are kept opaque. Nothing is resolved here.

mod compare;
mod escape;
mod host;
mod name_addr;
mod params;
mod read;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use rsip::Scheme;
use serde::{Deserialize, Serialize};

use crate::Transport;

pub use escape::{escape_user, unescape};
pub(crate) use host::{host_ip, read_host_port};
pub use name_addr::NameAddr;
pub(crate) use name_addr::{address_params, tag_of};
pub use params::Params;

/// Why a URI or an address could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("uri has no scheme")]
    Scheme,
    #[error("uri has a space, control character or bracket")]
    Character,
    #[error("uri has no host or a malformed one")]
    Host,
    #[error("uri has a malformed port")]
    Port,
    #[error("uri has an empty or malformed user part")]
    User,
    #[error("parameter is empty or malformed")]
    Parameter,
    #[error("quoted string does not end")]
    Quote,
    #[error("angle bracket is missing or followed by something else than parameters")]
    Bracket,
    #[error("uri with a comma, question mark or semicolon needs angle brackets here")]
    NeedsBrackets,
}

/// A URI. `Display` writes what was read, but for the case of the scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uri {
    /// `tel` is `Scheme::Other("tel")`.
    pub scheme: Scheme,
    /// As sent, escaped; includes user parameters. The number of a `tel:` URI.
    pub user: Option<String>,
    pub password: Option<String>,
    /// IPv6 in brackets; empty for `tel:`; everything after the colon for other schemes than sip, sips and tel.
    pub host: String,
    pub port: Option<u16>,
    pub params: Params,
    /// Everything after `?`, as sent. Never acted upon.
    pub headers: Option<String>,
}

impl Uri {
    /// Reads a URI that stands alone.
    pub fn parse(text: &str) -> Result<Uri, Error> {
        read::uri(text)
    }

    /// A `sip:` URI; `user` is escaped here, an IPv6 `host` gets its brackets.
    pub fn sip(user: Option<&str>, host: &str, port: Option<u16>) -> Uri {
        let bare_ipv6 = host.contains(':') && !host.starts_with('[');
        Uri {
            scheme: Scheme::Sip,
            user: user.map(escape_user),
            password: None,
            host: if bare_ipv6 { format!("[{host}]") } else { host.to_owned() },
            port,
            params: Params::default(),
            headers: None,
        }
    }

    pub fn is_sip(&self) -> bool {
        self.scheme == Scheme::Sip
    }

    pub fn is_sips(&self) -> bool {
        self.scheme == Scheme::Sips
    }

    pub fn is_tel(&self) -> bool {
        matches!(&self.scheme, Scheme::Other(name) if name == "tel")
    }

    /// The user part, unescaped; its parameters are kept.
    pub fn user(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(unescape)
    }

    /// The telephone number in the user part: digits, `*`, `#` and a leading `+`, without visual separators and
    /// parameters. None when the user part is no number.
    pub fn number(&self) -> Option<String> {
        let user = self.user()?;
        let number: String = user.split(';').next()?.chars().filter(|c| !"-.() ".contains(*c)).collect();
        let digits = number.strip_prefix('+').unwrap_or(&number);
        let valid = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '#');
        valid.then_some(number)
    }

    /// A parameter of the URI; empty when it is a flag.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name)
    }

    /// The transport asked for by the `transport` parameter, if it is one we speak.
    pub fn transport(&self) -> Option<Transport> {
        self.param("transport")?.parse().ok()
    }

    /// The host as an address, when it is a literal one.
    pub fn ip(&self) -> Option<IpAddr> {
        host_ip(&self.host)
    }

    /// The literal address to send to, with the default port of the transport; None when the host is a name.
    pub fn address(&self) -> Option<SocketAddr> {
        let asked = if self.is_sips() { Transport::Tls } else { Transport::Udp };
        let port = self.port.unwrap_or_else(|| self.transport().unwrap_or(asked).default_port());
        Some(SocketAddr::new(self.ip()?, port))
    }

    /// Whether both mean the same resource (RFC 3261 section 19.1.4).
    pub fn equivalent(&self, other: &Uri) -> bool {
        compare::equivalent(self, other)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            if !self.is_tel() {
                f.write_str("@")?;
            }
        }
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)?;
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Uri {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Uri::parse(text)
    }
}

impl TryFrom<String> for Uri {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Uri::parse(&text)
    }
}

impl From<Uri> for String {
    fn from(uri: Uri) -> String {
        uri.to_string()
    }
}
