//! Votes, and the question before them.

use mangrove_proto::cluster as proto;
use mangrove_raft::{GroupId, TypeConfig};
use openraft::raft::{VoteRequest, VoteResponse};

use super::{Error, from_log_id, from_vote, to_log_id, to_vote};

pub(crate) fn request(group: GroupId, request: &VoteRequest<TypeConfig>) -> proto::VoteRequest {
    proto::VoteRequest {
        group,
        vote: Some(to_vote(&request.vote)),
        last: request.last_log_id.map(to_log_id),
        transfer: request.leadership_transfer,
    }
}

pub(crate) fn asked(request: proto::VoteRequest) -> Result<VoteRequest<TypeConfig>, Error> {
    Ok(VoteRequest {
        vote: from_vote(request.vote)?,
        last_log_id: request.last.map(from_log_id),
        leadership_transfer: request.transfer,
    })
}

pub(crate) fn answer(answer: VoteResponse<TypeConfig>) -> proto::VoteResponse {
    proto::VoteResponse {
        vote: Some(to_vote(&answer.vote)),
        granted: answer.vote_granted,
        last: answer.last_log_id.map(to_log_id),
    }
}

pub(crate) fn answered(answer: proto::VoteResponse) -> Result<VoteResponse<TypeConfig>, Error> {
    Ok(VoteResponse {
        vote: from_vote(answer.vote)?,
        vote_granted: answer.granted,
        last_log_id: answer.last.map(from_log_id),
    })
}
