//! Each message comes back as it went; what lacks a part is refused.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use bytes::Bytes;
use mangrove_raft::types::{Entry, Membership, Payload, SnapshotMeta, StoredMembership};
use openraft::EntryPayload;
use openraft::raft::{
    AppendEntriesRequest, StreamAppendError, TransferLeaderError, TransferLeaderRequest, VoteRequest,
    VoteResponse,
};

use super::*;

fn id(index: u64) -> LogId {
    LogId::new_term_index(3, index)
}

fn joint() -> Membership {
    Membership::new_with_defaults(vec![BTreeSet::from([1, 2]), BTreeSet::from([2, 3])], [4])
}

#[test]
fn append_requests_come_back() {
    let payloads = [
        EntryPayload::Blank,
        EntryPayload::Normal(Payload(Bytes::from_static(b"x"))),
        EntryPayload::Membership(joint()),
    ];
    let entries = (7..).zip(payloads).map(|(index, payload)| Entry { log_id: id(index), payload }).collect();
    let sent = AppendEntriesRequest {
        vote: Vote::new_committed(3, 1),
        prev_log_id: Some(id(6)),
        entries,
        leader_commit: None,
    };
    let message = append::request(5, sent.clone());
    assert_eq!(message.group, 5);
    let got = append::asked(message).unwrap();
    assert_eq!((got.vote, got.prev_log_id, got.leader_commit), (sent.vote, sent.prev_log_id, None));
    assert_eq!(got.entries, sent.entries);
}

#[test]
fn append_answers_come_back() {
    let answers = [
        Ok(None),
        Ok(Some(id(9))),
        Err(StreamAppendError::Conflict(id(2))),
        Err(StreamAppendError::HigherVote(Vote::new(4, 2))),
    ];
    for sent in answers {
        assert_eq!(append::answered(append::answer(sent.clone())).unwrap(), sent);
    }
}

#[test]
fn votes_and_transfers_come_back() {
    let sent = VoteRequest { vote: Vote::new(4, 2), last_log_id: Some(id(8)), leadership_transfer: true };
    assert_eq!(vote::asked(vote::request(1, &sent)).unwrap(), sent);
    let sent = VoteResponse { vote: Vote::new(4, 2), vote_granted: false, last_log_id: None };
    assert_eq!(vote::answered(vote::answer(sent.clone())).unwrap(), sent);
    let sent = TransferLeaderRequest::new(Vote::new_committed(3, 1), 2, Some(id(8)));
    assert_eq!(transfer::asked(transfer::request(1, &sent)).unwrap(), sent);
    for sent in [
        Ok(()),
        Err(TransferLeaderError::VoteChanged { expected: Vote::new(1, 1), actual: Vote::new(2, 2) }),
        Err(TransferLeaderError::LogNotFlushed { expected: Some(id(1)), actual: None }),
    ] {
        assert_eq!(transfer::answered(transfer::answer(sent.clone())).unwrap(), sent);
    }
}

#[test]
fn snapshots_are_cut_and_described() {
    let meta = SnapshotMeta {
        last_log_id: Some(id(9)),
        last_membership: StoredMembership::new(Some(id(2)), joint()),
    };
    let state: Bytes = (0..3_000_000u32).map(|byte| byte as u8).collect::<Vec<_>>().into();
    let chunks: Vec<_> = snapshot::chunks(4, Vote::new_committed(3, 1), &meta, state.clone()).collect();
    let header = chunks[0].header.clone().unwrap();
    assert_eq!((header.group, header.size), (4, 3_000_000));
    assert_eq!(snapshot::begun(header).unwrap(), (Vote::new_committed(3, 1), meta));
    let data: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.data).collect();
    assert_eq!(data, state);
}

#[test]
fn a_message_without_its_parts_is_refused() {
    assert_eq!(append::asked(proto::AppendRequest::default()).unwrap_err(), Error::Missing("vote"));
    assert_eq!(append::answered(proto::AppendResponse::default()).unwrap_err(), Error::Missing("outcome"));
    assert_eq!(vote::asked(proto::VoteRequest::default()).unwrap_err(), Error::Missing("vote"));
    assert_eq!(entry::from_entry(proto::Entry::default()).unwrap_err(), Error::Missing("entry payload"));
    assert_eq!(snapshot::begun(proto::SnapshotHeader::default()).unwrap_err(), Error::Missing("membership"));
    let alone =
        proto::RaftMembership { voters: vec![proto::VoterSet { nodes: vec![1] }], members: Vec::new() };
    assert!(matches!(entry::from_membership(alone).unwrap_err(), Error::Inconsistent(_)));
}
