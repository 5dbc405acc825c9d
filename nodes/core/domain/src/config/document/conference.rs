//! Conferences as people write them.

use serde::{Deserialize, Serialize};

use super::Secret;

/// `{name: weekly, extension: "300", pin: "1234"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conference {
    pub name: String,
    /// What employees dial; a step of a scheme leads to it in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Asked of whoever comes. The present one stays when it is absent; `""` takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Secret>,
    /// Of those who come in where it is locked, and for whom others may have to wait. Else as `pin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderator_pin: Option<Secret>,
    /// Others hear music until a moderator is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait_for_moderator: bool,
    /// All hear a tone when somebody comes and when they leave.
    #[serde(default = "yes")]
    pub entry_tone: bool,
    /// No limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_people: Option<u32>,
}

fn yes() -> bool {
    true
}
