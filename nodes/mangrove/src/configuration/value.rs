//! How single values are spelled. Each error says what is allowed.

use std::{
    fmt::Display,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, de::Error as _};

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Edge,
    Control,
    Media,
    Console,
}

impl Role {
    pub(crate) const ALL: [Self; 4] = [Self::Edge, Self::Control, Self::Media, Self::Console];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Control => "control",
            Self::Media => "media",
            Self::Console => "console",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|role| role.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is no role; allowed: edge, control, media, console"))
    }
}

/// RTP ports, even ones for RTP and the odd one above for RTCP. Empty (`0..=0`) stands for any free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ports(pub(crate) RangeInclusive<u16>);

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no range of ports; allowed: 20000-39999 (at least two ports), or 0 for any free"
            )
        };
        if text.trim() == "0" {
            return Ok(Self(0..=0));
        }
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let port = |text: &str| text.trim().parse::<u16>().map_err(|_| wrong());
        let (first, last) = (port(first)?, port(last)?);
        if first == 0 || last <= first { Err(wrong()) } else { Ok(Self(first..=last)) }
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// The address that far ends are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Public {
    /// That of the interface with the default route.
    Auto,
    /// An address or host name.
    Host(String),
}

impl Public {
    /// The address to tell, none for `auto`.
    pub(crate) fn host(&self) -> Option<&str> {
        match self {
            Self::Auto => None,
            Self::Host(host) => Some(host),
        }
    }
}

impl FromStr for Public {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
        match text {
            "auto" => Ok(Self::Auto),
            _ if !text.is_empty() && text.len() <= 253 && text.chars().all(plain) => {
                Ok(Self::Host(text.to_owned()))
            }
            _ => Err(format!(
                "`{text}` is no address; allowed: an address or host name, like 203.0.113.10, or auto"
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Public {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// Where browsers find the pages: scheme, host and perhaps port, as a browser names the origin of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(String);

impl Origin {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and perhaps port, without the scheme.
    pub(crate) fn place(&self) -> &str {
        self.0.split_once("://").map_or(self.0.as_str(), |(_, place)| place)
    }

    /// Without scheme and port; an IPv6 address without its brackets.
    pub(crate) fn host(&self) -> &str {
        let place = self.place();
        match place.strip_prefix('[') {
            Some(inner) => inner.split(']').next().unwrap_or_default(),
            None => place.split(':').next().unwrap_or_default(),
        }
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
        let lower = text.to_ascii_lowercase();
        let host = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
        match host {
            Some(host) if !host.is_empty() && host.chars().all(plain) => Ok(Self(lower)),
            _ => {
                Err(format!("`{text}` is no address of pages; allowed: https://desk.example, without a path"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// A text; the environment's `1` is one too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(i64),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

/// A list, or a text of values parted by commas (the environment's way).
#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Items(Vec<Scalar>),
    Text(Scalar),
}

pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Scalar::deserialize(deserializer)
        .map(Scalar::into_text)
        .map_err(|_| D::Error::custom("this is no text; allowed: a text in quotes"))
}

pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let list = List::deserialize(deserializer)
        .map_err(|_| D::Error::custom("this is no list of texts; allowed: [\"...\", \"...\"]"))?;
    Ok(match list {
        List::Items(items) => items.into_iter().map(Scalar::into_text).collect(),
        List::Text(text) => {
            text.into_text().split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
        }
    })
}

pub(super) fn roles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Role>, D::Error> {
    let roles = texts(deserializer)?;
    roles.iter().map(|role| role.parse().map_err(D::Error::custom)).collect()
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<T, D::Error> {
    text(deserializer)?.parse().map_err(D::Error::custom)
}

pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = text(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!(
            "`{text}` is no address with port; allowed: 127.0.0.1:5060, 0.0.0.0:5060, [::1]:5060; port 0 means any free one"
        ))
    })
}

pub(super) fn optional_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    address(deserializer).map(Some)
}

pub(super) fn host_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IpAddr, D::Error> {
    let text = text(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!(
            "`{text}` is no address; allowed: an IP address without port, like 127.0.0.1 or 0.0.0.0"
        ))
    })
}
