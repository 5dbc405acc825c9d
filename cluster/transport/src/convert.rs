//! Between openraft's types and the messages of `cluster.proto`: one file an RPC, and the parts they share here.
//!
//! What comes from the wire may be anything: a missing part is an error, never a default.

pub(crate) mod append;
pub(crate) mod entry;
pub(crate) mod snapshot;
pub(crate) mod transfer;
pub(crate) mod vote;

use mangrove_proto::cluster as proto;
use mangrove_raft::types::{LogId, Vote};

/// A message that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A part is missing that every sender sets.
    #[error("the message has no {0}")]
    Missing(&'static str),
    /// The parts contradict each other.
    #[error("the message is inconsistent: {0}")]
    Inconsistent(String),
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        tonic::Status::invalid_argument(error.to_string())
    }
}

pub(crate) fn to_log_id(id: LogId) -> proto::LogId {
    proto::LogId { term: id.committed_leader_id().term, index: id.index }
}

pub(crate) fn from_log_id(id: proto::LogId) -> LogId {
    LogId::new_term_index(id.term, id.index)
}

pub(crate) fn to_vote(vote: &Vote) -> proto::Vote {
    let leader = vote.leader_id();
    proto::Vote { term: leader.term, node: leader.voted_for, committed: vote.is_committed() }
}

pub(crate) fn from_vote(vote: Option<proto::Vote>) -> Result<Vote, Error> {
    let vote = vote.ok_or(Error::Missing("vote"))?;
    Ok(match vote.committed {
        true => Vote::new_committed(vote.term, vote.node),
        false => Vote::new(vote.term, vote.node),
    })
}

#[cfg(test)]
mod tests;
