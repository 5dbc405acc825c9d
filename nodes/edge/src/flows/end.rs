//! Why connections end.

use std::io;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("far end closed it")]
    Closed,
    #[error("closed by us")]
    Stopped,
    #[error("framing lost")]
    FramingLost,
    #[error("message is too long")]
    TooLong,
    #[error("message did not arrive in time")]
    Slow,
    #[error("nothing acceptable came")]
    Idle,
    #[error("far end does not read")]
    Stuck,
    #[error("far end answers no ping")]
    Gone,
    #[error("handling it panicked")]
    Panicked,
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl End {
    /// Why we closed it, for the metric; none: it was not our doing.
    pub(super) fn our_reason(&self) -> Option<&'static str> {
        match self {
            Self::FramingLost => Some("framing_lost"),
            Self::TooLong => Some("too_long"),
            Self::Slow => Some("slow"),
            Self::Idle => Some("idle"),
            Self::Stuck => Some("stuck"),
            Self::Gone => Some("gone"),
            Self::Panicked => Some("panic"),
            Self::Closed | Self::Stopped | Self::Io(_) => None,
        }
    }
}
