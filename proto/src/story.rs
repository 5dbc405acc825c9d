//! A call's story: what was said, decided and heard, in order. Bounded per call; numbers shortened, secrets left out.

use serde::{Deserialize, Serialize};

/// One line of the story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entry {
    /// Wall clock, milliseconds since 1970.
    pub at: u64,
    /// Milliseconds since the call's first line, on the monotonic clock.
    pub after_ms: u64,
    pub kind: Kind,
    /// The leg it belongs to ("caller", "101"), empty for the call as a whole.
    pub party: String,
    /// One line: "INVITE", "180 Ringing", "offered to anna (longest idle 42 s)".
    pub title: String,
    /// The message, redacted, or the decision's reasons; may be empty.
    pub detail: String,
}

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A SIP message that came in.
    Received,
    /// A SIP message that went out.
    Sent,
    Decision,
    Media,
}
