//! Connections to those who vote with this node, made before they are needed and again when they broke. Far apart, making
//! one takes longer than a vote or a handed over lead is waited for: a node that was just started would be given its leads
//! back, ask the others for their votes in vain, and leave its groups without a leader until an election by time.

use std::time::Duration;

use mangrove_proto::cluster::PingRequest;
use mangrove_proto::cluster::membership_client::MembershipClient;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

use super::Cluster;
use crate::directory::Member;

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
                cluster.touch_all().await;
                let is_young = cluster.node.began.elapsed() < YOUNG;
                sleep(if is_young { SOON } else { EVERY }).await;
            }
        });
    }

    async fn touch_all(&self) {
        let directory = self.directory();
        if !directory.member(self.node()).is_some_and(Member::is_control) {
            return;
        }
        let mut touched = JoinSet::new();
        for other in directory.members.values().filter(|one| one.id != self.node() && one.is_control()) {
            for channel in self.node.network.urgent_channels(&other.address).into_iter().flatten() {
                touched.spawn(touch(channel, self.incarnation()));
            }
        }
        touched.join_all().await;
    }
}

/// Who does not answer is asked again.
async fn touch(channel: Channel, incarnation: u64) {
    let request = PingRequest { incarnation, ..PingRequest::default() };
    let _ = timeout(PATIENCE, MembershipClient::new(channel).ping(request)).await;
}
