//! What a group replicates: a deterministic state machine over opaque commands.

use std::fmt;

/// Serialises a captured state. Runs on a thread where blocking is allowed, while `apply` goes on.
pub type SnapshotWriter = Box<dyn FnOnce() -> Result<Vec<u8>, SnapshotError> + Send>;

/// The state of one group on one replica.
///
/// It may live in memory only. After a restart it begins empty, is given the last snapshot, and then every entry after
/// it once more; so what `apply` causes outside must be done only while this node leads (see `Leadership`).
pub trait StateMachine: Send + Sync + 'static {
    /// Applies one committed command. Called in log order, on every replica alike. Returns the proposer's reply.
    fn apply(&mut self, index: u64, term: u64, payload: &[u8]) -> Vec<u8>;

    /// A leader has begun its term. Every replica sees it, replay included; commands before it are of older leaders.
    fn leader_blank(&mut self, index: u64, term: u64);

    /// Captures the state, cheaply: `apply` waits meanwhile.
    fn snapshot(&self) -> SnapshotWriter;

    /// Replaces the whole state. On `Err` the group stops on this node.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError>;
}

/// Why a state could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotError(pub String);

impl SnapshotError {
    /// Keeps the reason's words.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SnapshotError {}

impl From<String> for SnapshotError {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

impl From<&str> for SnapshotError {
    fn from(reason: &str) -> Self {
        Self(reason.into())
    }
}
