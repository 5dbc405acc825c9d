//! What a new leader is told of its voter's log without asking it.

use futures::{StreamExt, stream};
use mangrove_raft::TypeConfig;
use mangrove_raft::types::{Entry, LogId, Vote};
use openraft::network::RPCOption;
use openraft::network::v2::RaftNetworkV2;
use openraft::raft::{AppendEntriesRequest, StreamAppendError, StreamAppendResult, VoteRequest};
use openraft::{EntryPayload, RaftNetworkFactory};

use super::*;
use crate::Link;

async fn asked(link: &mut Link, request: AppendEntriesRequest<TypeConfig>) -> StreamAppendResult<TypeConfig> {
    let option = RPCOption::new(Duration::from_secs(20));
    let mut answers = link.stream_append(stream::iter([request]), option).await.unwrap();
    answers.next().await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_voted_is_asked_for_nothing_that_its_vote_told() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = Peer::new(listener.local_addr().unwrap());
    let voter = Node::start(folder.path(), 9, listener, Tuning::default()).await;
    let mut link = voter.network.group(0).new_client(9, &peer).await;
    let id = |index| LogId::new_term_index(3, index);
    let request = |term, entries: std::ops::RangeInclusive<u64>| AppendEntriesRequest::<TypeConfig> {
        vote: Vote::new_committed(term, 1),
        prev_log_id: entries.start().checked_sub(1).map(id),
        entries: entries.map(|index| Entry { log_id: id(index), payload: EntryPayload::Blank }).collect(),
        leader_commit: None,
    };
    assert_eq!(asked(&mut link, request(3, 0..=20)).await, Ok(Some(id(20))), "what another leader wrote");

    let vote = VoteRequest { leadership_transfer: true, ..VoteRequest::new(Vote::new(4, 1), Some(id(60))) };
    let option = RPCOption::new(Duration::from_secs(20));
    assert!(link.vote(vote, option).await.unwrap().vote_granted);
    // A replica itself names the place where it was asked, not its end; and it does not know this leader yet.
    let conflict = Err(StreamAppendError::Conflict(id(21)));
    assert_eq!(asked(&mut link, request(4, 33..=40)).await, conflict);
    assert_eq!(asked(&mut link, request(4, 9..=16)).await, Ok(Some(id(16))));
    assert_eq!(asked(&mut link, request(4, 17..=24)).await, Ok(Some(id(20))));
    assert_eq!(asked(&mut link, request(4, 21..=28)).await, Ok(Some(id(28))), "it is given the rest");
    let conflict = Err(StreamAppendError::Conflict(id(40)));
    assert_eq!(asked(&mut link, request(4, 41..=44)).await, conflict, "its own answer");
}
