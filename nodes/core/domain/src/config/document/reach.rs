//! Trunks and numbers as people write them.

use serde::{Deserialize, Serialize};

use super::is_default;
use crate::config::{Recorded, RecordedAs, Security, SourceMatcher, srtp};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    pub name: String,
    #[serde(default)]
    pub from: Vec<SourceMatcher>,
    #[serde(default)]
    pub to: Vec<Target>,
    #[serde(default)]
    pub caller_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: TrunkLimits,
    /// `off`, `accept`, `prefer` or `require`.
    #[serde(default = "srtp::usual", skip_serializing_if = "srtp::is_usual")]
    pub srtp: Security,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub uri: String,
    /// Lower is tried first.
    #[serde(default = "first")]
    pub priority: u32,
}

fn first() -> u32 {
    1
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrunkLimits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_per_second: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    pub number: String,
    pub scheme: String,
    #[serde(default = "hundred")]
    pub channels: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Callers' priority in queues: higher is served first. (An agent's priority in a group is the other way round: the
    /// agent of priority 0 is asked first.)
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i32,
    /// `always`, `never` or `on-demand`; the company's rule when absent. `never` holds for whoever answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recorded>,
    /// `{format: opus, channels: mixed}`, each of them or both; what is said less in particular when absent.
    #[serde(default, skip_serializing_if = "RecordedAs::is_silent")]
    pub recorded_as: RecordedAs,
}

fn hundred() -> u32 {
    100
}
