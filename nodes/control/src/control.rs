//! Wiring of the role: one set of machine, proposer, shard and outbox per shard group, over one cluster.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use mangrove_domain::NodeInfo;
use mangrove_history::History;
use mangrove_membership::{Cluster, Leadership};
use mangrove_proto::{id::TenantId, service};
use parking_lot::Mutex;
use ractor::{Actor, ActorRef};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    fresh,
    group::{Group, Prepared},
    hub::Hub,
    machine::Applied,
    options::{Options, Pace},
    outbox::{self, Outbox},
    peers::Peers,
    ports,
    proposer::Proposer,
    routes::Table,
    shard::{self, Shard},
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
    groups: BTreeMap<u32, Group>,
    hub: Hub,
    stories: Storybook,
    table: Table,
    history: History,
    peers: Peers,
    shards: Mutex<Vec<ActorRef<shard::Message>>>,
    /// Held while a configuration is worked out and committed: two at once would undo one another.
    configuring: tokio::sync::Mutex<()>,
    seats: Prepared,
    pace: Pace,
    /// Set by `stop`: an actor that ends before has failed.
    stopping: Arc<AtomicBool>,
    wall_before: u64,
}

impl Control {
    /// Makes the role's parts. It takes events and questions at once, but leads only after `lead`.
    pub fn new(cluster: Cluster, prepared: Prepared, options: Options) -> Result<Self, Error> {
        let mut groups = BTreeMap::new();
        let table = Table::default();
        for id in cluster.groups() {
            let group = Group::new(id, &cluster, &prepared)?;
            // Whose a request is must be known before the first one comes: a 404 in between would end calls.
            table.rebuild(id, &group.shared.get());
            groups.insert(id, group);
        }
        let stamped = groups.values().map(|group: &Group| group.shared.get().wall).max();
        let inner = Inner {
            wall_before: cluster.wall_before_start().max(stamped.unwrap_or_default()),
            cluster,
            groups,
            hub: Hub::default(),
            stories: Storybook::default(),
            table,
            history: options.history,
            peers: Peers::default(),
            shards: Mutex::default(),
            configuring: tokio::sync::Mutex::default(),
            seats: prepared,
            pace: options.pace,
            stopping: Arc::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes a node's edge and media roles known to the groups led here.
    pub fn announce(
        &self,
        info: NodeInfo,
        edge: Option<Arc<dyn service::Edge>>,
        media: Option<Arc<dyn service::Media>>,
    ) {
        self.inner.peers.set(info, edge, media);
        for shard in self.inner.shards.lock().iter() {
            // A shard that stopped needs no news.
            let _ = shard.cast(shard::Message::NodesChanged);
        }
    }

    /// Starts the groups' actors. Call it once, when this node's own edge and media are announced: a leader sends what
    /// is owed at once. The ports of all groups' calls are taken before any group takes a new call.
    pub async fn lead(&self) -> Result<(), Error> {
        let led: Vec<_> = self.inner.groups.values().filter_map(|group| self.led(group)).collect();
        ports::take(&led, &self.inner.peers).await;
        for group in self.inner.groups.values() {
            self.inner.table.rebuild(group.id, &group.shared.get());
            let seat = self.inner.seats.take(group.id).ok_or(Error::NoMachine { group: group.id })?;
            let (shard, ended) = self.start_shard(group).await?;
            tokio::spawn(note_end(group.id, ended, self.inner.cluster.clone(), self.inner.stopping.clone()));
            self.keep_fresh(group);
            seat.followed.store(true, Ordering::Release);
            self.follow(group, seat.applied, shard.clone());
            self.inner.shards.lock().push(shard);
        }
        Ok(())
    }

    /// The group as it stands, if this node leads it.
    fn led(&self, group: &Group) -> Option<ports::Led> {
        match self.inner.cluster.group(group.id)?.leadership() {
            Leadership::Leader { fence, .. } => {
                Some(ports::Led { group: group.id, current: group.shared.get(), fence })
            }
            _ => None,
        }
    }

    fn keep_fresh(&self, group: &Group) {
        tokio::spawn(fresh::keep(fresh::Parts {
            group: group.id,
            shared: group.shared.clone(),
            proposer: group.proposer.clone(),
            leading: group.clock.subscribe(),
            period: self.inner.pace.fresh,
        }));
    }

    async fn start_shard(&self, group: &Group) -> Result<(ActorRef<shard::Message>, JoinHandle<()>), Error> {
        let outbox = Outbox::start(outbox::Parts {
            group: group.id,
            incarnation: self.inner.cluster.incarnation(),
            shared: group.shared.clone(),
            progress: group.progress.clone(),
            proposer: group.proposer.clone(),
            history: self.inner.history.clone(),
            stories: self.inner.stories.clone(),
            leading: group.clock.subscribe(),
        });
        let context = shard::Context {
            group: group.id,
            shared: group.shared.clone(),
            progress: group.progress.clone(),
            proposer: group.proposer.clone(),
            peers: self.inner.peers.clone(),
            hub: self.inner.hub.clone(),
            stories: self.inner.stories.clone(),
            outbox,
            table: self.inner.table.clone(),
            clock: group.clock.clone(),
            retry: self.inner.pace.retry,
            respawn: self.inner.pace.respawn,
        };
        let name = format!("shard-{}-{}", self.inner.cluster.node(), group.id);
        let started = Shard::spawn(Some(name), Shard, context).await;
        started.map_err(|source| Error::Actor { group: group.id, source })
    }

    /// Feeds a shard with what its machine applied and who leads.
    ///
    /// What was applied so far comes first: the stories must be back before their records go out. Without its shard the
    /// group takes no commands any more: better a clear 503 than a call that nobody carries out.
    fn follow(
        &self,
        group: &Group,
        mut applied: mpsc::UnboundedReceiver<Applied>,
        shard: ActorRef<shard::Message>,
    ) {
        let Some(handle) = self.inner.cluster.group(group.id) else { return };
        let mut leadership = handle.watch_leadership();
        let clock = group.clock.clone();
        tokio::spawn(async move {
            let mut alive = true;
            while let Ok(done) = applied.try_recv() {
                alive &= shard.cast(shard::Message::Applied(done)).is_ok();
            }
            let first = *leadership.borrow_and_update();
            alive &= shard.cast(shard::Message::Leadership(first)).is_ok();
            while alive {
                alive = tokio::select! {
                    biased;
                    Some(done) = applied.recv() => shard.cast(shard::Message::Applied(done)).is_ok(),
                    changed = leadership.changed() => changed.is_ok() && {
                        let now = *leadership.borrow_and_update();
                        shard.cast(shard::Message::Leadership(now)).is_ok()
                    },
                    else => false,
                };
            }
            clock.send_replace(None);
        });
    }

    /// How long the tenants of the groups led here keep recordings, milliseconds; those that keep them for ever are left out.
    pub fn retentions(&self) -> Vec<(TenantId, u64)> {
        let led = self.inner.groups.values().filter(|group| group.is_led());
        let states: Vec<_> = led.map(|group| group.shared.get().state).collect();
        let tenants = states.iter().flat_map(|state| state.tenants());
        tenants
            .filter_map(|(id, tenant)| Some((id.clone(), tenant.config().recording.retention_ms?)))
            .collect()
    }

    /// The newest wall clock that was known before this start, of the directory and the groups here; 0 in a new cluster.
    pub fn wall_before_start(&self) -> u64 {
        self.inner.wall_before
    }

    /// Stops the actors; what is owed stays in State.
    pub async fn stop(&self) {
        self.inner.stopping.store(true, Ordering::Release);
        let shards: Vec<_> = self.inner.shards.lock().drain(..).collect();
        for shard in shards {
            // A shard that is gone already is stopped.
            let _ = shard.stop_and_wait(None, None).await;
        }
    }

    #[cfg(test)]
    pub(crate) fn shards(&self) -> Vec<ActorRef<shard::Message>> {
        self.inner.shards.lock().clone()
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.inner.cluster
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.inner.groups.values()
    }

    pub(crate) fn proposer(&self, group: u64) -> Result<&Proposer, service::Error> {
        let found = u32::try_from(group).ok().and_then(|id| self.inner.groups.get(&id));
        found
            .map(|group| &group.proposer)
            .ok_or_else(|| service::Error::NotFound { what: format!("group {group} on this node") })
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

    pub(crate) fn history(&self) -> &History {
        &self.inner.history
    }
}

/// A shard that ends before its time leaves a group that takes nothing any more: the node must say so.
async fn note_end(group: u32, ended: JoinHandle<()>, cluster: Cluster, stopping: Arc<AtomicBool>) {
    let outcome = ended.await;
    if !stopping.load(Ordering::Acquire) {
        tracing::error!(group, ?outcome, "a shard ended though nobody stopped it");
        cluster.fail(format!("group {group}'s shard has ended"));
    }
}
