//! Three nodes in one process over loopback gRPC.

#![allow(clippy::unwrap_used)]

mod beats;
mod ends;
mod far;
mod heir;
mod rivals;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mangrove_raft::{
    Error, GroupHost, Handle, Leadership, NodeId, Owner, Peer, SnapshotError, SnapshotWriter, StateMachine,
    Store, Tuning,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tonic::service::Routes;

use crate::{Network, Settings, serve};

const GROUPS: [u32; 2] = [0, 5];

#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<String>>>);

impl Book {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl StateMachine for Book {
    fn apply(&mut self, _index: u64, _term: u64, payload: &[u8]) -> Vec<u8> {
        self.0.lock().unwrap().push(String::from_utf8_lossy(payload).into());
        Vec::new()
    }

    fn leader_blank(&mut self, _index: u64, _term: u64) {}

    fn snapshot(&self) -> SnapshotWriter {
        let lines = self.lines();
        Box::new(move || Ok(lines.join("\n").into_bytes()))
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        *self.0.lock().unwrap() = String::from_utf8_lossy(bytes).lines().map(String::from).collect();
        Ok(())
    }
}

struct Node {
    host: GroupHost,
    network: Network,
    books: BTreeMap<u32, Book>,
    stop: oneshot::Sender<()>,
}

/// How a node is made.
#[derive(Clone)]
struct Setup {
    tuning: Tuning,
    settings: Settings,
    groups: Vec<u32>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { tuning: Tuning::default(), settings: Settings::default(), groups: GROUPS.into() }
    }
}

impl Node {
    async fn start(folder: &Path, id: NodeId, listener: TcpListener, tuning: Tuning) -> Self {
        let setup = Setup { tuning, ..Setup::default() };
        Self::serving(folder, id, listener, setup, |host, network| network.routes(host)).await
    }

    /// One that serves Raft in this way.
    async fn serving(
        folder: &Path,
        id: NodeId,
        listener: TcpListener,
        Setup { tuning, settings, groups }: Setup,
        routes: impl FnOnce(GroupHost, &Network) -> Routes,
    ) -> Self {
        let owner = Owner { incarnation: 9, node: id };
        let store = Store::open(&folder.join(id.to_string()), owner).unwrap();
        let host = GroupHost::new(store, owner, tuning);
        let network = Network::new(settings.clone());
        let mut books = BTreeMap::new();
        for group in groups {
            let book = Book::default();
            host.start_group(group, Box::new(book.clone()), network.group(group)).await.unwrap();
            books.insert(group, book);
        }
        let (stop, stopped) = oneshot::channel();
        let routes = routes(host.clone(), &network);
        tokio::spawn(async move {
            serve(listener, routes, &settings, async { drop(stopped.await) }).await.unwrap();
        });
        Self { host, network, books, stop }
    }

    fn handle(&self, group: u32) -> Handle {
        self.host.handle(group).unwrap()
    }
}

async fn listeners() -> (BTreeMap<NodeId, TcpListener>, BTreeMap<NodeId, Peer>) {
    let (mut listeners, mut peers) = (BTreeMap::new(), BTreeMap::new());
    for id in 1..=3 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        peers.insert(id, Peer::new(listener.local_addr().unwrap()));
        listeners.insert(id, listener);
    }
    (listeners, peers)
}

async fn until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let polled = async {
        loop {
            if let Some(found) = holds() {
                return found;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), polled).await.unwrap_or_else(|_| panic!("not in 20 s: {what}"))
}

fn leader(nodes: &BTreeMap<NodeId, Node>, group: u32) -> Option<NodeId> {
    nodes.iter().find(|(_, node)| node.handle(group).leadership().is_leader()).map(|(id, _)| *id)
}

/// Three nodes with a group 0 that all vote in.
async fn founded(folder: &std::path::Path) -> BTreeMap<NodeId, Node> {
    let (listeners, peers) = listeners().await;
    let mut nodes = BTreeMap::new();
    for (id, listener) in listeners {
        nodes.insert(id, Node::start(folder, id, listener, Tuning::default()).await);
    }
    nodes[&1].host.found_group(0, peers).await.unwrap();
    nodes
}

async fn propose(nodes: &BTreeMap<NodeId, Node>, group: u32, line: &str) {
    loop {
        let id = until("somebody leads", || leader(nodes, group)).await;
        match nodes[&id].handle(group).propose(line.into()).await {
            Ok(_) => return,
            Err(Error::NotLeader { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_elect_replicate_and_survive_their_leader() {
    let folder = tempfile::tempdir().unwrap();
    let (listeners, peers) = listeners().await;
    let mut nodes = BTreeMap::new();
    for (id, listener) in listeners {
        nodes.insert(id, Node::start(folder.path(), id, listener, Tuning::default()).await);
    }
    for group in GROUPS {
        nodes[&1].host.found_group(group, peers.clone()).await.unwrap();
    }
    for number in 0..50 {
        propose(&nodes, 0, &number.to_string()).await;
        propose(&nodes, 5, &format!("five {number}")).await;
    }
    let wanted: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    for node in nodes.values() {
        until("all replicas have all lines", || (node.books[&0].lines() == wanted).then_some(())).await;
    }

    let first = until("somebody leads", || leader(&nodes, 0)).await;
    let gone = nodes.remove(&first).unwrap();
    let _ = gone.stop.send(());
    gone.host.shutdown().await;
    propose(&nodes, 0, "after").await;
    for node in nodes.values() {
        until("both others have the line", || node.books[&0].lines().contains(&"after".into()).then_some(()))
            .await;
        assert_eq!(node.books[&0].lines()[..50], wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lead_is_handed_over_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = founded(folder.path()).await;
    let from = until("somebody leads", || leader(&nodes, 0)).await;
    let to = from % 3 + 1;
    let asked = async {
        while !nodes[&to].handle(0).leadership().is_leader() {
            // Another may have won, or the one asked was not ready: it is asked again.
            if let Some(leader) = leader(&nodes, 0).filter(|id| *id != to) {
                let _ = nodes[&leader].handle(0).transfer_leadership(to).await;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), asked).await.expect("the other leads");
    until("the first knows", || (!nodes[&from].handle(0).leadership().is_leader()).then_some(())).await;
    let refused = nodes[&from].handle(0).transfer_leadership(to).await.unwrap_err();
    assert!(matches!(refused, Error::NotLeader { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lead_stays_where_it_is_when_its_heir_has_just_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut nodes = founded(folder.path()).await;
    let from = until("somebody leads", || leader(&nodes, 0)).await;
    let to = from % 3 + 1;
    let group = nodes[&from].handle(0);
    until("the other could lead", || group.could_lead(to).then_some(())).await;
    let gone = nodes.remove(&to).unwrap();
    let _ = gone.stop.send(());
    gone.host.shutdown().await;

    let refused = group.transfer_leadership(to).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    group.propose(b"at once".to_vec()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_gets_a_snapshot_and_then_votes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut listeners, peers) = listeners().await;
    let tuning = Tuning { snapshot_every: 50, keep_entries: 5, ..Tuning::default() };
    let mut nodes = BTreeMap::new();
    let listener = listeners.remove(&1).unwrap();
    nodes.insert(1, Node::start(folder.path(), 1, listener, tuning.clone()).await);
    nodes[&1].host.found_group(0, BTreeMap::from([(1, peers[&1].clone())])).await.unwrap();
    for number in 0..200 {
        propose(&nodes, 0, &number.to_string()).await;
    }
    let first = nodes[&1].handle(0);
    until("the log is purged", || (first.status().purged > 50).then_some(())).await;

    let listener = listeners.remove(&2).unwrap();
    nodes.insert(2, Node::start(folder.path(), 2, listener, tuning).await);
    let voters: BTreeMap<_, _> = [1, 2].map(|id| (id, peers[&id].clone())).into();
    first.set_voters(&voters).await.unwrap();
    assert_eq!(first.status().voters, [1, 2]);
    let wanted: Vec<_> = (0..200).map(|number| number.to_string()).collect();
    until("the newcomer has all lines", || (nodes[&2].books[&0].lines() == wanted).then_some(())).await;
    let Leadership::Leader { term, .. } = first.leadership() else { panic!("the first node leads") };
    assert_eq!(nodes[&2].handle(0).leadership(), Leadership::Follower { leader: 1, term });
    first.set_voters(&voters).await.unwrap();
}

/// Some ten megabytes, in chunks over a lane of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_great_state_reaches_a_newcomer_while_all_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut listeners, peers) = listeners().await;
    // A busy machine may pause; a snapshot that blocks heartbeats takes longer.
    let (heartbeat, lease) = (Duration::from_millis(100), Duration::from_millis(1_000));
    let tuning = Tuning { snapshot_every: 20, keep_entries: 2, heartbeat, lease, ..Tuning::default() };
    let mut nodes = BTreeMap::new();
    for id in [1, 2] {
        let listener = listeners.remove(&id).unwrap();
        nodes.insert(id, Node::start(folder.path(), id, listener, tuning.clone()).await);
    }
    let those = |ids: &[NodeId]| ids.iter().map(|id| (*id, peers[id].clone())).collect::<BTreeMap<_, _>>();
    nodes[&1].host.found_group(0, those(&[1])).await.unwrap();
    nodes[&1].host.found_group(5, those(&[1, 2])).await.unwrap();
    let lines: Vec<_> = (0..40u32).map(|number| format!("{number:0>64}").repeat(1 << 14)).collect();
    for line in &lines {
        propose(&nodes, 0, line).await;
    }
    let first = nodes[&1].handle(0);
    until("the log is purged", || (first.status().purged > 20).then_some(())).await;
    propose(&nodes, 5, "before").await;
    let other = until("somebody leads", || leader(&nodes, 5)).await;
    let terms = || (first.status().term, nodes[&other].handle(5).status().term);
    let before = terms();

    let (handle, voters) = (first.clone(), those(&[1, 2]));
    let joins = tokio::spawn(async move { handle.set_voters(&voters).await });
    let mut meanwhile = 0;
    while !joins.is_finished() {
        propose(&nodes, 5, "meanwhile").await;
        meanwhile += 1;
    }
    joins.await.unwrap().unwrap();
    until("the newcomer has all lines", || (nodes[&2].books[&0].lines() == lines).then_some(())).await;
    assert!(meanwhile > 0);
    assert_eq!(terms(), before, "nobody missed a heartbeat");
}
