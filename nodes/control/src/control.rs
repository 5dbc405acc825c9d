//! Wiring of the role: one set of machine, proposer, shard and outbox per shard group, over one cluster.

mod groups;
mod tend;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use mangrove_domain::{NodeInfo, State};
use mangrove_history::Ledger;
use mangrove_membership::Cluster;
use mangrove_proto::{id::TenantId, service};
use parking_lot::{Mutex, RwLock};
use ractor::ActorRef;
use tokio::task::AbortHandle;

use crate::{
    forward::Forward,
    group::{Group, Prepared, Seat},
    hub::Hub,
    options::{Options, Pace},
    outbox::Waits,
    peers::{Guidance, Peers},
    proposer::{Proposer, Way},
    routes::Table,
    shard,
    storybook::Storybook,
};

/// Why the role could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("group {group} has a replica here but no machine was made for it")]
    NoMachine { group: u32 },
    #[error("group {group}'s actor could not be started: {source}")]
    Actor { group: u32, source: ractor::SpawnErr },
}

/// The running role, cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    cluster: Cluster,
    /// With a replica here.
    groups: RwLock<BTreeMap<u32, Arc<Group>>>,
    /// Ways to groups without one, made when first used.
    away: Mutex<BTreeMap<u32, Proposer>>,
    forward: Forward,
    hub: Hub,
    stories: Storybook,
    table: Table,
    history: Arc<dyn Ledger>,
    waits: Waits,
    peers: Peers,
    /// By group.
    shards: Mutex<BTreeMap<u32, ActorRef<shard::Message>>>,
    /// Who carries tenants away, by the group that they leave.
    movers: Mutex<BTreeMap<u32, AbortHandle>>,
    /// Held while a configuration is worked out and committed: two at once would undo one another.
    configuring: tokio::sync::Mutex<()>,
    seats: Prepared,
    /// Of the groups that were here when the role was made, until `lead` opens them.
    unopened: Mutex<BTreeMap<u32, Seat>>,
    pace: Pace,
    /// Set by `stop`: an actor that ends before has failed.
    stopping: Arc<AtomicBool>,
    wall_before: u64,
}

impl Control {
    /// Makes the role's parts. It takes events and questions at once, but leads only after `lead`.
    pub fn new(cluster: Cluster, prepared: Prepared, options: Options) -> Result<Self, Error> {
        let (mut groups, mut unopened) = (BTreeMap::new(), BTreeMap::new());
        let (table, forward) = (Table::default(), Forward::new(cluster.clone()));
        for id in cluster.groups() {
            // One that ends just now is still counted, and has no part in this any more.
            let Some(handle) = cluster.group(id) else { continue };
            let seat = prepared.take(id).ok_or(Error::NoMachine { group: id })?;
            let group = Group::new(handle, &seat, &forward);
            // Whose a request is must be known before the first one comes: a 404 in between would end calls.
            table.rebuild(id, &group.shared.get());
            groups.insert(id, Arc::new(group));
            unopened.insert(id, seat);
        }
        let stamped = groups.values().map(|group| group.shared.get().wall).max();
        let inner = Inner {
            wall_before: cluster.wall_before_start().max(stamped.unwrap_or_default()),
            cluster,
            groups: RwLock::new(groups),
            away: Mutex::default(),
            forward,
            hub: Hub::default(),
            stories: Storybook::default(),
            table,
            history: options.history,
            waits: Waits::default(),
            peers: Peers::default(),
            shards: Mutex::default(),
            movers: Mutex::default(),
            configuring: tokio::sync::Mutex::default(),
            seats: prepared,
            unopened: Mutex::new(unopened),
            pace: options.pace,
            stopping: Arc::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes a node's edge and media roles known to the groups led here, whenever they begin: what is owed there is sent.
    pub fn announce(
        &self,
        info: NodeInfo,
        edge: Option<Arc<dyn service::Edge>>,
        media: Option<Arc<dyn service::Media>>,
    ) {
        let name = info.name.clone();
        self.inner.peers.set(info, edge, media);
        self.tell_shards(|| shard::Message::Began(name.clone()));
    }

    /// Says which nodes are alive. What others carried goes on elsewhere, by the rules of the groups led here.
    pub fn set_alive(&self, names: BTreeSet<String>) {
        self.inner.peers.set_alive(names);
        self.tell_shards(|| shard::Message::NodesChanged);
    }

    /// Says by which rules the groups led here are to go on, and which media nodes are about to go with their addresses: calls
    /// leave those while people talk. To be said before such a node is announced.
    pub fn guide(&self, guidance: Guidance) {
        self.inner.peers.guide(guidance);
        self.tell_shards(|| shard::Message::NodesChanged);
    }

    fn tell_shards(&self, message: impl Fn() -> shard::Message) {
        for shard in self.inner.shards.lock().values() {
            // A shard that stopped needs no news.
            let _ = shard.cast(message());
        }
    }

    /// How long the tenants of the groups led here keep recordings, milliseconds; those that keep them for ever are left out.
    pub fn retentions(&self) -> Vec<(TenantId, u64)> {
        let states = self.states_led();
        let tenants = states.iter().flat_map(|state| state.tenants());
        tenants
            .filter_map(|(id, tenant)| Some((id.clone(), tenant.config().recording.retention_ms?)))
            .collect()
    }

    /// The states of the groups that this node leads.
    pub(crate) fn states_led(&self) -> Vec<State> {
        let led = self.groups().into_iter().filter(|group| group.is_led());
        led.map(|group| group.shared.get().state).collect()
    }

    /// The newest wall clock that was known before this start, of the directory and the groups here; 0 in a new cluster.
    pub fn wall_before_start(&self) -> u64 {
        self.inner.wall_before
    }

    /// Stops the actors; what is owed stays in State.
    pub async fn stop(&self) {
        self.inner.stopping.store(true, Ordering::Release);
        self.stop_moving();
        let shards = std::mem::take(&mut *self.inner.shards.lock());
        for shard in shards.into_values() {
            // A shard that is gone already is stopped.
            let _ = shard.stop_and_wait(None, None).await;
        }
    }

    /// What is begun is gone on with by whoever leads next.
    pub(crate) fn stop_moving(&self) {
        std::mem::take(&mut *self.inner.movers.lock()).into_values().for_each(|mover| mover.abort());
    }

    #[cfg(test)]
    pub(crate) fn shards(&self) -> Vec<ActorRef<shard::Message>> {
        self.inner.shards.lock().values().cloned().collect()
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.inner.cluster
    }

    /// Groups with a replica here, in order.
    pub(crate) fn groups(&self) -> Vec<Arc<Group>> {
        self.inner.groups.read().values().cloned().collect()
    }

    /// A group with a replica here.
    pub(crate) fn group(&self, id: u32) -> Option<Arc<Group>> {
        self.inner.groups.read().get(&id).cloned()
    }

    /// The way into any group's log.
    pub(crate) fn proposer(&self, group: u64) -> Result<Proposer, service::Error> {
        let unknown = || service::Error::NotFound { what: format!("group {group} in this cluster") };
        let id = u32::try_from(group).map_err(|_| unknown())?;
        if let Some(group) = self.group(id) {
            return Ok(group.proposer.clone());
        }
        if !self.inner.cluster.directory().plan.groups.contains_key(&id) {
            return Err(unknown());
        }
        let way = || Way { group: id, replica: None, forward: self.inner.forward.clone() };
        Ok(self.inner.away.lock().entry(id).or_insert_with(|| Proposer::start(way())).clone())
    }

    pub(crate) fn forward(&self) -> &Forward {
        &self.inner.forward
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    pub(crate) fn stories(&self) -> &Storybook {
        &self.inner.stories
    }

    pub(crate) fn configuring(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.configuring
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.inner.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn table(&self) -> &Table {
        &self.inner.table
    }

    /// Records that wait for the database.
    pub(crate) fn waits(&self) -> &Waits {
        &self.inner.waits
    }

    pub(crate) fn history(&self) -> &dyn Ledger {
        &*self.inner.history
    }
}
