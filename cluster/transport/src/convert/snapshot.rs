//! Snapshots, in chunks: the first carries what the snapshot covers.

use bytes::Bytes;
use mangrove_proto::cluster as proto;
use mangrove_raft::types::{SnapshotMeta, StoredMembership, Vote};
use mangrove_raft::{GroupId, TypeConfig};
use openraft::raft::SnapshotResponse;

use super::{Error, entry, from_log_id, from_vote, to_log_id, to_vote};

const CHUNK: usize = 1 << 20;

pub(crate) fn chunks(
    group: GroupId,
    vote: Vote,
    meta: &SnapshotMeta,
    state: Bytes,
) -> impl Iterator<Item = proto::SnapshotChunk> + Send + use<> {
    let header = proto::SnapshotHeader {
        group,
        vote: Some(to_vote(&vote)),
        last: meta.last_log_id.map(to_log_id),
        membership_id: meta.last_membership.log_id().map(to_log_id),
        membership: Some(entry::to_membership(meta.last_membership.membership())),
        size: state.len() as u64,
    };
    let first = proto::SnapshotChunk { header: Some(header), data: Bytes::new() };
    let parts = (0..state.len()).step_by(CHUNK).map(move |start| {
        let end = state.len().min(start + CHUNK);
        proto::SnapshotChunk { header: None, data: state.slice(start..end) }
    });
    std::iter::once(first).chain(parts)
}

pub(crate) fn begun(header: proto::SnapshotHeader) -> Result<(Vote, SnapshotMeta), Error> {
    let membership = entry::from_membership(header.membership.ok_or(Error::Missing("membership"))?)?;
    let meta = SnapshotMeta {
        last_log_id: header.last.map(from_log_id),
        last_membership: StoredMembership::new(header.membership_id.map(from_log_id), membership),
    };
    Ok((from_vote(header.vote)?, meta))
}

pub(crate) fn answer(answer: SnapshotResponse<TypeConfig>) -> proto::SnapshotResponse {
    proto::SnapshotResponse { vote: Some(to_vote(&answer.vote)) }
}

pub(crate) fn answered(answer: proto::SnapshotResponse) -> Result<SnapshotResponse<TypeConfig>, Error> {
    Ok(SnapshotResponse::new(from_vote(answer.vote)?))
}
