//! What a recording's writer is given, in order, and where each of it belongs.

use bytes::Bytes;
use tokio::sync::oneshot;

/// What a writer is given.
#[derive(Debug)]
pub(super) enum Piece {
    Sound(Bytes),
    /// So many bytes of sound were lost: they become silence.
    Hole(u64),
    /// Of what comes next so many milliseconds are silence because their sound was lost.
    Lost(u64),
    /// The recording ended then, milliseconds since 1970, and this is the last of its sound.
    Finish {
        ended_ms: u64,
        rest: Bytes,
    },
    /// Everything before this is in the store, or waits on the disk for the next run, when it is answered.
    Suspend(oneshot::Sender<()>),
}

impl Piece {
    /// Bytes of sound in memory.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Sound(sound) | Self::Finish { rest: sound, .. } => sound.len(),
            Self::Hole(_) | Self::Lost(_) | Self::Suspend(_) => 0,
        }
    }

    /// Bytes of the recording that it becomes.
    pub(super) fn lasts(&self) -> u64 {
        match self {
            Self::Hole(bytes) => *bytes,
            _ => self.length() as u64,
        }
    }

    /// The same once more, its sound shared. What is no part of the recording is nothing.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Sound(sound) => Self::Sound(sound.clone()),
            Self::Hole(bytes) => Self::Hole(*bytes),
            Self::Lost(ms) => Self::Lost(*ms),
            Self::Finish { ended_ms, rest } => Self::Finish { ended_ms: *ended_ms, rest: rest.clone() },
            Self::Suspend(_) => Self::Hole(0),
        }
    }
}

/// Where a piece belongs among those of its writer. What is in the store already, and what is missing, is told by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Counted from one.
    pub(super) number: u64,
    /// Bytes of the writer's sound before it.
    pub(super) at: u64,
}

impl Place {
    pub(super) const FIRST: Self = Self { number: 1, at: 0 };

    /// Of what comes after this piece.
    pub(super) fn behind(self, piece: &Piece) -> Self {
        Self { number: self.number + 1, at: self.at + piece.lasts() }
    }
}
