//! Knowing the directory without deciding on it: every node that does not lead group 0 follows a stream from the node
//! that does. So a node without a vote knows it as well as one with, and a node whose replica of group 0 has been left
//! out of the group finds out.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use mangrove_proto::cluster::WatchRequest;
use mangrove_proto::cluster::membership_client::MembershipClient;
use mangrove_raft::NodeId;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};

use super::Cluster;
use crate::directory::{Directory, Member};
use crate::{DIRECTORY, machine, peers};

const OPENING: Duration = Duration::from_secs(2);
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

impl Cluster {
    /// Follows until the node stops.
    pub(super) fn keep_following(&self) {
        let cluster = self.clone();
        self.spawn(async move { cluster.follow().await });
    }

    async fn follow(&self) {
        loop {
            self.follow_somebody().await;
            sleep(BETWEEN_TRIES).await;
        }
    }

    /// Asks each of those known once, and whom they name before the rest, until the leader was found and has ended.
    async fn follow_somebody(&self) {
        let mut waiting = VecDeque::from(self.sources());
        let mut asked = BTreeSet::from([self.member().address]);
        while let Some(address) = waiting.pop_front() {
            if self.leads_directory() {
                return;
            }
            if !asked.insert(address.clone()) {
                continue;
            }
            let followed = tokio::select! {
                followed = self.follow_from(&address) => followed,
                // It may be stopped or cut off, and would keep this node waiting.
                () = self.node.lead.moved_from(&address) => return,
            };
            match followed {
                Ok(None) => return,
                Ok(Some(ask)) => ask.into_iter().rev().for_each(|named| waiting.push_front(named)),
                Err(status) if status.code() == Code::FailedPrecondition => {
                    tracing::warn!(address, %status, "a node that should be of this cluster refuses to tell");
                }
                // Down, or cut off: the next one may know more.
                Err(_) => {}
            }
        }
    }

    /// `None` once the leader there, which told for a while, tells no more; of another member, whom to ask.
    async fn follow_from(&self, address: &str) -> Result<Option<Vec<String>>, Status> {
        let channel = self.node.network.bulk_channel(address);
        let channel = channel.map_err(|error| Status::invalid_argument(error.to_string()))?;
        let limit = self.node.options.transport.max_message;
        let mut client = MembershipClient::new(channel).max_decoding_message_size(limit);
        let request = WatchRequest { incarnation: self.incarnation() };
        let opened = timeout(OPENING, client.watch(request)).await;
        let mut told = opened.map_err(|_| Status::unavailable("no answer in time"))??.into_inner();
        let first = told.message().await?.ok_or_else(|| Status::unavailable("it told nothing"))?;
        if first.directory.is_empty() {
            return Ok(Some(first.ask));
        }
        self.node.lead.found(address);
        let mut next = Some(first);
        while let Some(message) = next {
            let directory = machine::decode(&message.directory);
            self.told(&directory.map_err(|error| Status::invalid_argument(error.to_string()))?);
            next = told.message().await.unwrap_or_default();
        }
        Ok(None)
    }

    fn told(&self, directory: &Directory) {
        if directory.member(self.node()).is_none() {
            self.fail(
                "this node has been removed from the cluster; empty its data folder to join as a new node"
                    .into(),
            );
        }
        let before = control_addresses(&self.directory(), self.node());
        self.node.known.show(directory);
        let now = control_addresses(directory, self.node());
        if before != now
            && let Err(error) = peers::save(&self.node.options.data_dir, &now)
        {
            tracing::warn!(%error, "the addresses of other members could not be kept for the next start");
        }
    }

    /// Whether this node leads group 0.
    pub(super) fn leads_directory(&self) -> bool {
        self.group(DIRECTORY).is_some_and(|group| group.leadership().is_leader())
    }

    /// Where group 0's leader may be found, the likeliest first.
    pub(crate) fn sources(&self) -> Vec<String> {
        let directory = self.directory();
        let kept =
            if directory.founding.is_none() { peers::load(&self.node.options.data_dir) } else { vec![] };
        let found = self.node.lead.at();
        let mut sources: Vec<String> = Vec::new();
        let known =
            found.into_iter().chain(holders(&directory)).chain(control_addresses(&directory, self.node()));
        for address in known.chain(self.node.options.join.iter().cloned()).chain(kept) {
            if !address.is_empty() && address != self.member().address && !sources.contains(&address) {
                sources.push(address);
            }
        }
        sources
    }
}

/// Group 0's replicas that answer, the wanted leader first.
fn holders(directory: &Directory) -> Vec<String> {
    let Some(place) = directory.plan.groups.get(&DIRECTORY) else { return Vec::new() };
    let mut members: Vec<&Member> = place
        .replicas
        .iter()
        .filter_map(|node| directory.member(*node))
        .filter(|member| member.alive)
        .collect();
    members.sort_by_key(|member| member.id != place.leader);
    members.into_iter().map(|member| member.address.clone()).collect()
}

fn control_addresses(directory: &Directory, but: NodeId) -> Vec<String> {
    let others = directory.members.values().filter(|member| member.is_control() && member.id != but);
    others.map(|member| member.address.clone()).collect()
}
