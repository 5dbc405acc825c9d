//! Nodes far apart: what one sends another hears 150 ms later.

use std::io;

use futures::future::BoxFuture;
use mangrove_proto::cluster::VoteRequest;
use mangrove_proto::cluster::raft_client::RaftClient;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tonic::Code;

use super::*;
use crate::{Dial, Dialer, Wire};

const ONE_WAY: Duration = Duration::from_millis(150);
const ALL: std::ops::Range<u32> = 0..12;

/// Makes connections whose bytes come late.
#[derive(Debug)]
struct Far;

impl Dialer for Far {
    fn dial(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        Box::pin(async move {
            sleep(ONE_WAY * 2).await;
            let (from_there, to_there) = TcpStream::connect(address).await?.into_split();
            let (own, wire) = duplex(1 << 20);
            let (from_here, to_here) = split(wire);
            tokio::spawn(carry(from_here, to_there));
            tokio::spawn(carry(from_there, to_here));
            Ok(Box::new(own) as Box<dyn Wire>)
        })
    }
}

/// Each piece on its way while those before it are.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let (sent, mut coming) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let send = async move {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let piece = (Instant::now() + ONE_WAY, buffer[..count].to_vec());
            if sent.send(piece).is_err() {
                return;
            }
        }
    };
    let hear = async move {
        while let Some((at, piece)) = coming.recv().await {
            sleep_until(at).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        // The other side may have gone first.
        let _ = to.shutdown().await;
    };
    tokio::join!(send, hear);
}

/// Three nodes whose groups the first one leads, and the others know it.
async fn led_by_the_first(folder: &Path) -> BTreeMap<NodeId, Node> {
    let (listeners, peers) = listeners().await;
    let settings = Settings { dial: Dial::By(Arc::new(Far)), ..Settings::default() };
    let setup = Setup { tuning: Tuning::wan(), settings, groups: ALL.collect() };
    let mut nodes = BTreeMap::new();
    for (id, listener) in listeners {
        let node =
            Node::serving(folder, id, listener, setup.clone(), |host, network| network.routes(host)).await;
        nodes.insert(id, node);
    }
    for (node, peer) in nodes.values().flat_map(|node| peers.values().map(move |peer| (node, peer))) {
        touch(node, &peer.addr).await;
    }
    for group in ALL {
        nodes[&1].host.found_group(group, peers.clone()).await.unwrap();
        let follow = |group| move |node: &Node| node.handle(group).status().leader == Some(1);
        until("all follow the first", || nodes.values().all(follow(group)).then_some(())).await;
    }
    nodes
}

/// Makes the connections that votes and entries go by, as the room above does before they are needed.
async fn touch(node: &Node, address: &str) {
    for channel in node.network.urgent_channels(address).unwrap() {
        let answer = RaftClient::new(channel).vote(VoteRequest { group: 99, ..VoteRequest::default() }).await;
        assert_eq!(answer.unwrap_err().code(), Code::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_stand_for_election_at_once_do_not_stand_in_each_others_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut nodes = led_by_the_first(folder.path()).await;
    let term = |node: &Node, group| node.handle(group).status().term;
    let before: u64 = ALL.map(|group| term(&nodes[&2], group)).sum();
    let gone = nodes.remove(&1).unwrap();
    let _ = gone.stop.send(());
    gone.host.shutdown().await;
    let mut after = 0;
    for group in ALL {
        let leader = until("another leads", || leader(&nodes, group)).await;
        after += term(&nodes[&leader], group);
    }
    let elections = after - before;
    // Every second one was in vain, and those for them again. A busy machine may be late for one.
    assert!(elections <= u64::from(ALL.end) + 3, "{elections} elections in {} groups", ALL.end);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lead_is_handed_over_while_entries_are_on_their_way() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = led_by_the_first(folder.path()).await;
    let (first, second) = (nodes[&1].handle(0), nodes[&2].handle(0));
    let busy = first.clone();
    let writes = tokio::spawn(async move {
        loop {
            let busy = busy.clone();
            tokio::spawn(async move { busy.propose(b"line".to_vec()).await });
            sleep(Duration::from_millis(10)).await;
        }
    });
    until("lines come", || nodes[&2].books[&0].lines().len().gt(&20).then_some(())).await;
    until("the other could lead", || first.could_lead(2).then_some(())).await;
    let term = first.status().term;
    first.transfer_leadership(2).await.unwrap();
    until("the other leads", || second.leadership().is_leader().then_some(())).await;
    assert_eq!(second.status().term, term + 1, "without an election by time");
    writes.abort();
}
