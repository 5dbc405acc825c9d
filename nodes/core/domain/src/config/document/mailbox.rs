//! Boxes for messages as people write them.

use serde::{Deserialize, Serialize};

use super::Duration;

/// `{name: sales, group: "200", email: sales@acme.example}`. Of employee and group one owns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailbox {
    pub name: String,
    /// Extension or id. What is not answered at this extension goes here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<String>,
    /// Extension or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// A prompt; a tone alone when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// How long a message may be.
    #[serde(default = "three_minutes", skip_serializing_if = "are_three_minutes")]
    pub longest: Duration,
    /// Where each message is sent, with its sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

fn three_minutes() -> Duration {
    Duration::seconds(180)
}

fn are_three_minutes(longest: &Duration) -> bool {
    *longest == three_minutes()
}
