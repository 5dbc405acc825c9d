//! Ways in and out: trunks and public numbers.

use std::{net::SocketAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Recorded, RecordedAs, Security, SourceMatcher, srtp};

/// A carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trunk {
    pub name: Arc<str>,
    /// Who may call in without a password.
    pub from: Vec<SourceMatcher>,
    /// Where our calls go, first choice first (sorted by priority, then as written).
    pub to: Vec<Target>,
    /// Numbers that we may show to this carrier.
    pub caller_ids: Vec<Arc<str>>,
    /// Most calls at once, both directions; absent: no limit.
    pub channels: Option<u32>,
    /// Most new calls in a second, both directions; absent: no limit.
    pub calls_per_second: Option<u32>,
    /// Whether its sound is SRTP.
    #[serde(default = "srtp::usual", skip_serializing_if = "srtp::is_usual")]
    pub srtp: Security,
}

impl Trunk {
    /// Whether a call from `source` comes from this carrier.
    pub fn admits(&self, source: SocketAddr) -> bool {
        self.from.iter().any(|matcher| matcher.matches(source))
    }
}

/// One of a carrier's addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `sip:host:port`, a dialled number goes in front of the host.
    pub uri: Arc<str>,
    /// Lower is tried first.
    pub priority: u32,
}

/// A public number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    pub number: Arc<str>,
    /// Key in `TenantConfig::schemes`.
    pub scheme: Arc<str>,
    /// Most calls at once.
    pub channels: u32,
    /// Where this number is advertised; kept on every call.
    pub source: Option<Arc<str>>,
    /// Its callers' priority in queues: higher is served first, 0 when not given.
    #[serde(default)]
    pub priority: i32,
    /// Absent: what the company says. `never` holds for whoever answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recorded>,
    /// Of the file that it becomes.
    #[serde(default, skip_serializing_if = "RecordedAs::is_silent")]
    pub recorded_as: RecordedAs,
}
