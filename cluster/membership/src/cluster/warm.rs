//! Connections to those who vote with this node, made before they are needed and again when they broke. Far apart, making
//! one takes longer than a vote or a handed over lead is waited for: a node that was just started would be given its leads
//! back, ask the others for their votes in vain, and leave its groups without a leader until an election by time.
//!
//! Not one with `clocks`, though both ping: that asks a few, from nodes of any role, in a rhythm of its own, and of
//! the answers; here only the way there counts.

use std::time::Duration;

use mangrove_proto::cluster::PingRequest;
use mangrove_proto::cluster::membership_client::MembershipClient;
use mangrove_raft::NodeId;
use mangrove_transport::Network;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

use super::Cluster;
use crate::directory::{Directory, Member};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);
/// The same of a node that was just started, for so long.
const SOON: Duration = Duration::from_millis(250);
const YOUNG: Duration = Duration::from_secs(5);
/// Making a connection goes on when nobody waits for it any more.
const PATIENCE: Duration = Duration::from_secs(1);

impl Cluster {
    /// Until the node stops.
    pub(super) fn keep_warm(&self) {
        let cluster = self.clone();
        self.spawn(async move {
            loop {
                let directory = cluster.directory();
                let others = touched_by(&directory, cluster.node());
                touch_all(&cluster.node.network, others, cluster.incarnation()).await;
                let is_young = cluster.node.began.elapsed() < YOUNG;
                sleep(if is_young { SOON } else { EVERY }).await;
            }
        });
    }
}

/// The addresses of those who vote, for one who votes.
fn touched_by(directory: &Directory, node: NodeId) -> Vec<&str> {
    if !directory.member(node).is_some_and(Member::is_control) {
        return Vec::new();
    }
    let others = directory.members.values().filter(|one| one.id != node && one.is_control());
    others.map(|other| other.address.as_str()).collect()
}

async fn touch_all(network: &Network, addresses: Vec<&str>, incarnation: u64) {
    let channels = addresses.into_iter().filter_map(|address| network.urgent_channels(address).ok());
    let mut touched = JoinSet::new();
    for channel in channels.flatten() {
        touched.spawn(touch(channel, incarnation));
    }
    touched.join_all().await;
}

/// Who does not answer is asked again.
async fn touch(channel: Channel, incarnation: u64) {
    let request = PingRequest { incarnation, ..PingRequest::default() };
    let _ = timeout(PATIENCE, MembershipClient::new(channel).ping(request)).await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_transport::Settings;
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn who_votes_keeps_its_connections_to_who_votes() {
        let member = |id, role: &str| Member {
            id,
            roles: [role.to_owned()].into(),
            address: format!("n{id}:7000"),
            ..Member::default()
        };
        let members = [member(1, Member::CONTROL), member(2, "media"), member(3, Member::CONTROL)];
        let members = members.into_iter().map(|member| (member.id, member)).collect();
        let directory = Directory { members, ..Directory::default() };
        let table: [(NodeId, &[&str]); 4] = [(1, &["n3:7000"]), (3, &["n1:7000"]), (2, &[]), (9, &[])];
        for (node, expected) in table {
            assert_eq!(touched_by(&directory, node), expected, "node {node}");
        }
    }

    #[tokio::test]
    async fn the_ways_of_votes_and_entries_are_made_and_made_again_when_they_broke() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (taken, mut connections) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                taken.send(connection).unwrap();
            }
        });
        // Nobody answers there; that alone is not to end a connection here.
        let network = Network::new(Settings { keepalive: Duration::from_mins(1), ..Settings::default() });
        let mut made = |kept: &mut Vec<_>| {
            kept.extend(std::iter::from_fn(|| connections.try_recv().ok()));
            kept.len()
        };

        let mut first = Vec::new();
        touch_all(&network, vec![address.as_str()], 7).await;
        assert_eq!(made(&mut first), 2, "and none for what is long");
        drop(first);
        let mut second = Vec::new();
        let again = async {
            while made(&mut second) < 2 {
                touch_all(&network, vec![address.as_str()], 7).await;
            }
        };
        timeout(Duration::from_secs(20), again).await.expect("both are made again");
    }
}
