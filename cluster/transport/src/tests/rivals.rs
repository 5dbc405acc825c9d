//! Who stands for election beside another, asked over the network.

use mangrove_proto::cluster::raft_client::RaftClient;
use mangrove_raft::types::Vote;
use openraft::raft::VoteRequest;

use super::*;
use crate::convert;

/// A node that has voted for nobody yet, asked for pre-votes by nodes that it never heard of.
#[tokio::test(flavor = "multi_thread")]
async fn who_granted_a_candidate_refuses_a_greater_number_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // Longer than a busy machine pauses.
    let tuning = Tuning { lease: Duration::from_mins(2), ..Tuning::default() };
    let node = Node::start(folder.path(), 9, listener, tuning).await;
    for (candidate, term, granted) in [(2, 1, true), (3, 1, false), (1, 1, true), (3, 2, true)] {
        let asked = convert::vote::request(0, &VoteRequest::new(Vote::new(term, candidate), None));
        let mut client = RaftClient::new(node.network.channel(&address).unwrap());
        let answer = client.pre_vote(asked).await.unwrap().into_inner();
        assert_eq!(answer.granted, granted, "node {candidate} for term {term}");
    }
}
