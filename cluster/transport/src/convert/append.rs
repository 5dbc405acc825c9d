//! Entries and heartbeats.

use mangrove_proto::cluster as proto;
use mangrove_raft::types::LogId;
use mangrove_raft::{GroupId, TypeConfig};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, StreamAppendError, StreamAppendResult};
use proto::append_response::Outcome;

use super::{Error, entry, from_log_id, from_vote, to_log_id, to_vote};

pub(crate) fn request(group: GroupId, request: AppendEntriesRequest<TypeConfig>) -> proto::AppendRequest {
    proto::AppendRequest {
        group,
        vote: Some(to_vote(&request.vote)),
        previous: request.prev_log_id.map(to_log_id),
        entries: request.entries.into_iter().map(entry::to_entry).collect(),
        committed: request.leader_commit.map(to_log_id),
    }
}

pub(crate) fn asked(request: proto::AppendRequest) -> Result<AppendEntriesRequest<TypeConfig>, Error> {
    Ok(AppendEntriesRequest {
        vote: from_vote(request.vote)?,
        prev_log_id: request.previous.map(from_log_id),
        entries: request.entries.into_iter().map(entry::from_entry).collect::<Result<_, _>>()?,
        leader_commit: request.committed.map(from_log_id),
    })
}

/// What a single request came to. `last`: of its entries, where it had any.
pub(crate) fn of_one(
    answer: AppendEntriesResponse<TypeConfig>,
    previous: Option<LogId>,
    last: Option<LogId>,
) -> Result<StreamAppendResult<TypeConfig>, Error> {
    Ok(match answer {
        AppendEntriesResponse::Success => Ok(last),
        AppendEntriesResponse::PartialSuccess(id) => Ok(id),
        AppendEntriesResponse::Conflict => {
            Err(StreamAppendError::Conflict(previous.ok_or(Error::Missing("previous"))?))
        }
        AppendEntriesResponse::HigherVote(vote) => Err(StreamAppendError::HigherVote(vote)),
    })
}

pub(crate) fn answer(result: StreamAppendResult<TypeConfig>) -> proto::AppendResponse {
    let outcome = match result {
        Ok(flushed) => Outcome::Accepted(proto::Accepted { flushed: flushed.map(to_log_id) }),
        Err(StreamAppendError::Conflict(id)) => Outcome::Conflict(to_log_id(id)),
        Err(StreamAppendError::HigherVote(vote)) => Outcome::Higher(to_vote(&vote)),
    };
    proto::AppendResponse { outcome: Some(outcome) }
}

pub(crate) fn answered(answer: proto::AppendResponse) -> Result<StreamAppendResult<TypeConfig>, Error> {
    Ok(match answer.outcome.ok_or(Error::Missing("outcome"))? {
        Outcome::Accepted(accepted) => Ok(accepted.flushed.map(from_log_id)),
        Outcome::Conflict(id) => Err(StreamAppendError::Conflict(from_log_id(id))),
        Outcome::Higher(vote) => Err(StreamAppendError::HigherVote(from_vote(Some(vote))?)),
    })
}
