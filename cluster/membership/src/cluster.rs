//! One node's part in the cluster: the directory as it knows it, and the groups it runs.

pub(crate) mod clocks;
mod databases;
mod deposed;
mod falls;
mod follow;
mod forget;
mod join;
mod keep;
mod lead;
mod operate;
mod plan;
mod propose;
mod pulse;
mod report;
mod reshape;
mod start;
mod verdicts;
mod warm;
mod watchman;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

use mangrove_proto::cluster::membership_server::MembershipServer;
use mangrove_raft::{GroupHost, GroupId, Handle, NodeId, StateMachine};
use mangrove_transport::Network;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::service::Routes;

use crate::DIRECTORY;
use crate::directory::{Directory, Member};
use crate::error::Error;
use crate::identity::Identity;
use crate::machine::{DirectoryMachine, Known};
use crate::options::Options;
use crate::service::MembershipService;

use clocks::Clocks;
use lead::Lead;
pub use report::{GroupTold, NodeStatus, OwnReport, Reporter, Told};

type Factory = Box<dyn Fn(GroupId) -> Box<dyn StateMachine> + Send + Sync>;

/// A running node. Clones share it; it runs until `shutdown`.
#[derive(Clone)]
pub struct Cluster {
    node: Arc<Node>,
}

struct Node {
    identity: Identity,
    /// As it should stand in the directory.
    member: Mutex<Member>,
    options: Options,
    host: GroupHost,
    network: Network,
    factory: Factory,
    known: Known,
    directory: watch::Receiver<Arc<Directory>>,
    groups: watch::Sender<BTreeSet<GroupId>>,
    local_addr: Option<SocketAddr>,
    /// Set before this node's first sign of life.
    wall_before: OnceLock<u64>,
    began: Instant,
    /// What the roles tell of themselves, once they run.
    reporter: OnceLock<Reporter>,
    clocks: Clocks,
    /// What the identity on disk says of a replica of group 0.
    holds_directory: AtomicBool,
    lead: Lead,
    stop: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("identity", &self.node.identity).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Starts the node: founds a cluster, joins one, or goes on with the one on disk. `factory` makes the state machine
    /// of each shard group that runs here; it is called once a start of the group, before its recovery. A node without
    /// the role `control` runs no group and knows the directory all the same.
    ///
    /// Returns once the directory is known and the groups that only this node votes in are recovered and led by it. Groups shared with other nodes
    /// may still be electing: their handles tell.
    pub async fn start<F>(options: Options, factory: F) -> Result<Self, Error>
    where
        F: Fn(GroupId) -> Box<dyn StateMachine> + Send + Sync + 'static,
    {
        start::start(options, Box::new(factory)).await
    }

    /// This node's id.
    pub fn node(&self) -> NodeId {
        self.node.identity.node
    }

    /// This node's name.
    pub fn name(&self) -> &str {
        &self.node.identity.name
    }

    /// The cluster's incarnation: random at its founding, part of every fence.
    pub fn incarnation(&self) -> u64 {
        self.node.identity.incarnation
    }

    /// How often this node was started, this time included: the incarnation of event senders on it.
    pub fn boot(&self) -> u64 {
        self.node.identity.boot
    }

    /// The shard groups that run here, in order.
    pub fn groups(&self) -> Vec<GroupId> {
        self.node.groups.borrow().iter().copied().collect()
    }

    /// Follows which shard groups run here.
    pub fn watch_groups(&self) -> watch::Receiver<BTreeSet<GroupId>> {
        self.node.groups.subscribe()
    }

    /// A group that runs here; 0 is the directory's, which not every node runs.
    pub fn group(&self, id: GroupId) -> Option<Handle> {
        self.node.host.handle(id)
    }

    /// The directory as this node knows it now.
    pub fn directory(&self) -> Arc<Directory> {
        self.node.directory.borrow().clone()
    }

    /// Follows the directory.
    pub fn watch_directory(&self) -> watch::Receiver<Arc<Directory>> {
        self.node.directory.clone()
    }

    /// Turns `Some` with the reason, and stays so, once the disk has failed (the node acknowledges nothing more) or a
    /// part of the node has ended for good (it acknowledges nothing more of that part).
    pub fn watch_failure(&self) -> watch::Receiver<Option<String>> {
        self.node.host.watch_failure()
    }

    /// As `watch_failure`, of the disk alone: no group runs here any more, and a new start may go on with what is on the
    /// disk.
    pub fn watch_disk(&self) -> watch::Receiver<Option<String>> {
        self.node.host.watch_disk()
    }

    /// Says that a part of this node has failed for good, for those who watch for it. The first reason stands.
    pub fn fail(&self, reason: String) {
        self.node.host.fail(reason);
    }

    /// The wall clock of the newest sign of life that the directory had when this node started, milliseconds since
    /// 1970; 0 in a new cluster. A clock far ahead of it has jumped, or the cluster stood still for long.
    pub fn wall_before_start(&self) -> u64 {
        self.node.wall_before.get().copied().unwrap_or_default()
    }

    /// The services that other nodes call, for a listener shared with other services.
    pub fn routes(&self) -> Routes {
        let service = MembershipServer::new(MembershipService::new(self.clone()));
        let service = service.max_decoding_message_size(self.node.options.transport.max_message);
        self.node.network.routes(self.node.host.clone()).add_service(service)
    }

    /// Makes other addresses of this node known to all members; at the next sign of life if the directory can't be told
    /// now.
    pub async fn set_addresses(&self, addresses: BTreeMap<String, String>) {
        self.lock_member().addresses = addresses;
        if let Err(error) = self.beat().await {
            tracing::warn!(%error, "the members do not know this node's addresses yet");
        }
    }

    /// A node asked, as group 0's leader of this term, whether this one runs.
    pub(crate) fn is_asked_by(&self, leader: NodeId, term: u64) {
        // One that this node does not know is asked for later, when it does.
        if let Some(member) = self.directory().member(leader) {
            self.node.lead.asks(term, &member.address);
        }
    }

    /// As it should stand in the directory.
    fn member(&self) -> Member {
        self.lock_member().clone()
    }

    fn lock_member(&self) -> std::sync::MutexGuard<'_, Member> {
        self.node.member.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A channel for another service's calls to a member's address (host:port). Connects when first used.
    pub fn channel(&self, address: &str) -> Result<tonic::transport::Channel, tonic::transport::Error> {
        self.node.network.channel(address)
    }

    /// As `channel`, for what may be long: nothing urgent waits behind it.
    pub fn bulk_channel(&self, address: &str) -> Result<tonic::transport::Channel, tonic::transport::Error> {
        self.node.network.bulk_channel(address)
    }

    /// Where the cluster's own listener is, if it has one.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.node.local_addr
    }

    /// Stops all groups, then the listener, and closes the disk.
    pub async fn shutdown(&self) {
        self.node.stop.send_replace(true);
        self.node.host.shutdown().await;
        let mut tasks = std::mem::take(&mut *self.tasks());
        tasks.shutdown().await;
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.node.stop.borrow()
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.node.tasks.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Starts a group here unless it runs.
    async fn run_group(&self, group: GroupId) -> Result<Handle, Error> {
        if let Some(handle) = self.group(group) {
            return Ok(handle);
        }
        let node = &self.node;
        let machine = self.machine(group)?;
        let handle = node.host.start_group(group, machine, node.network.group(group)).await?;
        if group != DIRECTORY {
            node.groups.send_if_modified(|groups| groups.insert(group));
        }
        Ok(handle)
    }

    /// That this node has a replica of group 0 is on disk before the replica may vote.
    fn machine(&self, group: GroupId) -> Result<Box<dyn StateMachine>, Error> {
        if group != DIRECTORY {
            return Ok((self.node.factory)(group));
        }
        self.note_directory(true)?;
        Ok(Box::new(DirectoryMachine::new(self.node.known.clone())))
    }

    /// Stops a group that counts on this node no more.
    async fn end_group(&self, group: GroupId) -> Result<(), Error> {
        // First: it may be started again while Raft still shuts down, and counts then.
        self.node.groups.send_if_modified(|groups| groups.remove(&group));
        self.node.host.stop_group(group).await;
        if group == DIRECTORY { self.note_directory(false) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
