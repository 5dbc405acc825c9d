//! The heir's side of a lead that is handed over.

use futures::FutureExt;
use mangrove_proto::cluster::raft_server::Raft;
use mangrove_raft::types::{LogId, Vote};
use openraft::raft::TransferLeaderRequest;
use tonic::Request;

use super::*;
use crate::RaftService;
use crate::convert;

/// Three nodes that wait long for what is missing, and elect nobody by time meanwhile.
async fn patient(folder: &Path) -> BTreeMap<NodeId, Node> {
    let (listeners, peers) = listeners().await;
    let tuning = Tuning { lease: Duration::from_secs(7), ..Tuning::default() };
    let mut nodes = BTreeMap::new();
    for (id, listener) in listeners {
        nodes.insert(id, Node::start(folder, id, listener, tuning.clone()).await);
    }
    nodes[&1].host.found_group(0, peers).await.unwrap();
    nodes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heir_takes_the_lead_though_its_caller_waits_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = patient(folder.path()).await;
    propose(&nodes, 0, "before").await;
    let from = until("somebody leads", || leader(&nodes, 0)).await;
    let to = from % 3 + 1;
    let (first, heir) = (nodes[&from].handle(0), nodes[&to].handle(0));
    let raft = nodes[&from].host.raft(0).unwrap();
    let end = raft.with_raft_state(|state| state.local_committed().copied()).await.unwrap().unwrap();
    let term = end.committed_leader_id().term;

    // What is to be written next is what the heir waits for.
    let last = Some(LogId::new_term_index(term, end.index + 1));
    let asked = TransferLeaderRequest::new(Vote::new_committed(term, from), to, last);
    let asked = Request::new(convert::transfer::request(0, &asked));
    let service = RaftService::over(nodes[&to].host.clone(), &nodes[&to].network);
    assert!(service.transfer_leader(asked).now_or_never().is_none(), "the end of its log is missing");
    tokio::spawn(async move { first.propose(b"after".to_vec()).await });
    until("the heir leads", || heir.leadership().is_leader().then_some(())).await;
    assert_eq!(heir.status().term, term + 1, "without an election by time");
}
