//! Handing over the lead.

use mangrove_proto::cluster as proto;
use mangrove_raft::{GroupId, TypeConfig};
use openraft::raft::{TransferLeaderError, TransferLeaderRequest, TransferLeaderResponse};
use proto::transfer_leader_response::Outcome;

use super::{Error, from_log_id, from_vote, to_log_id, to_vote};

pub(crate) fn request(
    group: GroupId,
    request: &TransferLeaderRequest<TypeConfig>,
) -> proto::TransferLeaderRequest {
    proto::TransferLeaderRequest {
        group,
        from: Some(to_vote(request.from_leader())),
        to: *request.to_node_id(),
        last: request.last_log_id().copied().map(to_log_id),
    }
}

pub(crate) fn asked(
    request: proto::TransferLeaderRequest,
) -> Result<TransferLeaderRequest<TypeConfig>, Error> {
    Ok(TransferLeaderRequest::new(from_vote(request.from)?, request.to, request.last.map(from_log_id)))
}

pub(crate) fn answer(answer: TransferLeaderResponse<TypeConfig>) -> proto::TransferLeaderResponse {
    let outcome = match answer {
        Ok(()) => Outcome::Accepted(proto::Blank {}),
        Err(TransferLeaderError::VoteChanged { expected, actual }) => {
            Outcome::VoteChanged(proto::VoteChanged {
                expected: Some(to_vote(&expected)),
                actual: Some(to_vote(&actual)),
            })
        }
        Err(TransferLeaderError::LogNotFlushed { expected, actual }) => {
            Outcome::LogBehind(proto::LogBehind {
                expected: expected.map(to_log_id),
                actual: actual.map(to_log_id),
            })
        }
    };
    proto::TransferLeaderResponse { outcome: Some(outcome) }
}

pub(crate) fn answered(
    answer: proto::TransferLeaderResponse,
) -> Result<TransferLeaderResponse<TypeConfig>, Error> {
    Ok(match answer.outcome.ok_or(Error::Missing("outcome"))? {
        Outcome::Accepted(_) => Ok(()),
        Outcome::VoteChanged(votes) => Err(TransferLeaderError::VoteChanged {
            expected: from_vote(votes.expected)?,
            actual: from_vote(votes.actual)?,
        }),
        Outcome::LogBehind(ids) => Err(TransferLeaderError::LogNotFlushed {
            expected: ids.expected.map(from_log_id),
            actual: ids.actual.map(from_log_id),
        }),
    })
}
