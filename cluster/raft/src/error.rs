//! What a proposer has to know about a failure: whether the command may have been committed, and where to go instead.

use openraft::error::{ClientWriteError, Fatal, ForwardToLeader, LinearizableReadError, RaftError};

use crate::{NodeId, TypeConfig};

/// Why a group did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Certainly not committed by this call: another node leads, or nobody does.
    #[error("this node does not lead the group; the leader is {leader:?}")]
    NotLeader { leader: Option<NodeId> },
    /// The group is not running here. What became of a proposal under way is unknown.
    #[error("the group has stopped on this node")]
    Stopped,
    /// The disk failed; this node acknowledges nothing more. What became of a proposal under way is unknown.
    #[error("the Raft log cannot be written or read: {0}")]
    Storage(String),
    /// The outcome is unknown: it may have been committed or may yet be.
    #[error("no answer in time; the outcome is unknown")]
    Timeout,
    /// The group cannot do this, or not now.
    #[error("refused: {0}")]
    Refused(String),
}

impl From<ForwardToLeader<TypeConfig>> for Error {
    fn from(forward: ForwardToLeader<TypeConfig>) -> Self {
        Self::NotLeader { leader: forward.leader_id }
    }
}

impl From<Fatal<TypeConfig>> for Error {
    fn from(fatal: Fatal<TypeConfig>) -> Self {
        match fatal {
            Fatal::StorageError(error) => Self::Storage(error.to_string()),
            Fatal::Panicked | Fatal::Stopped => Self::Stopped,
        }
    }
}

impl From<mangrove_log::Error> for Error {
    fn from(error: mangrove_log::Error) -> Self {
        Self::Storage(error.to_string())
    }
}

impl From<ClientWriteError<TypeConfig>> for Error {
    fn from(error: ClientWriteError<TypeConfig>) -> Self {
        match error {
            ClientWriteError::ForwardToLeader(forward) => forward.into(),
            // The entry was in this node's log and may live on in another's.
            ClientWriteError::LogEntryDiscarded(_) => Self::Timeout,
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<LinearizableReadError<TypeConfig>> for Error {
    fn from(error: LinearizableReadError<TypeConfig>) -> Self {
        match error {
            LinearizableReadError::ForwardToLeader(forward) => forward.into(),
            LinearizableReadError::QuorumNotEnough(_) => Self::NotLeader { leader: None },
        }
    }
}

impl<E> From<RaftError<TypeConfig, E>> for Error
where
    Error: From<E>,
{
    fn from(error: RaftError<TypeConfig, E>) -> Self {
        match error {
            RaftError::APIError(error) => error.into(),
            RaftError::Fatal(fatal) => fatal.into(),
        }
    }
}
