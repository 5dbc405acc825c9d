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
use mangrove_membership::{Cluster, StateMachine};
use mangrove_proto::{id::TenantId, service};
use parking_lot::Mutex;
use ractor::{Actor, ActorRef};
use tokio::sync::{mpsc, watch};

use crate::{
    hub::Hub,
    machine::{Applied, Machine, Shared},
    outbox::{self, Outbox},
    peers::Peers,
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

/// What the role needs besides the cluster.
#[derive(Debug)]
pub struct Options {
    pub history: History,
}

/// The machines of all groups, made before the cluster starts: it asks for one per group.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    seats: Arc<Mutex<BTreeMap<u32, Seat>>>,
}

#[derive(Debug)]
struct Seat {
    shared: Shared,
    applied: mpsc::UnboundedReceiver<Applied>,
    followed: Arc<AtomicBool>,
}

impl Prepared {
    /// The factory for `Cluster::start`.
    pub fn machine(&self, group: u32) -> Box<dyn StateMachine> {
        let shared = Shared::new();
        let (sender, applied) = mpsc::unbounded_channel();
        let followed = Arc::<AtomicBool>::default();
        self.seats.lock().insert(group, Seat { shared: shared.clone(), applied, followed: followed.clone() });
        Box::new(Machine::new(shared, sender, followed))
    }
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
}

/// One shard group's parts on this node.
#[derive(Debug)]
pub(crate) struct Group {
    pub id: u32,
    pub shared: Shared,
    pub proposer: Proposer,
    clock: watch::Sender<Option<crate::clock::Clock>>,
}

impl Control {
    /// Makes the role's parts. It takes events and questions at once, but leads only after `lead`.
    pub fn new(cluster: Cluster, prepared: Prepared, options: Options) -> Result<Self, Error> {
        let mut groups = BTreeMap::new();
        let table = Table::default();
        for id in cluster.groups() {
            let group = Group::new(id, &cluster, &prepared)?;
            // Whose a request is must be known before the first one comes: a 404 in between would end calls.
            table.rebuild(id, &group.shared.get().state);
            groups.insert(id, group);
        }
        let inner = Inner {
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
    /// is owed at once.
    pub async fn lead(&self) -> Result<(), Error> {
        for group in self.inner.groups.values() {
            self.inner.table.rebuild(group.id, &group.shared.get().state);
            let seat = self
                .inner
                .seats
                .seats
                .lock()
                .remove(&group.id)
                .ok_or(Error::NoMachine { group: group.id })?;
            let shard = self.start_shard(group).await?;
            seat.followed.store(true, Ordering::Release);
            self.follow(group, seat.applied, shard.clone());
            self.inner.shards.lock().push(shard);
        }
        Ok(())
    }

    async fn start_shard(&self, group: &Group) -> Result<ActorRef<shard::Message>, Error> {
        let outbox = Outbox::start(outbox::Parts {
            group: group.id,
            shared: group.shared.clone(),
            proposer: group.proposer.clone(),
            history: self.inner.history.clone(),
            stories: self.inner.stories.clone(),
            leading: group.clock.subscribe(),
        });
        let context = shard::Context {
            group: group.id,
            shared: group.shared.clone(),
            proposer: group.proposer.clone(),
            peers: self.inner.peers.clone(),
            hub: self.inner.hub.clone(),
            stories: self.inner.stories.clone(),
            outbox,
            table: self.inner.table.clone(),
            clock: group.clock.clone(),
        };
        let name = format!("shard-{}-{}", self.inner.cluster.node(), group.id);
        let started = Shard::spawn(Some(name), Shard, context).await;
        started.map(|(shard, _)| shard).map_err(|source| Error::Actor { group: group.id, source })
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
        let led = self.inner.groups.values().filter(|group| group.clock.borrow().is_some());
        let states: Vec<_> = led.map(|group| group.shared.get().state).collect();
        let tenants = states.iter().flat_map(|state| state.tenants());
        tenants
            .filter_map(|(id, tenant)| Some((id.clone(), tenant.config().recording.retention_ms?)))
            .collect()
    }

    /// Stops the actors; what is owed stays in State.
    pub async fn stop(&self) {
        let shards: Vec<_> = self.inner.shards.lock().drain(..).collect();
        for shard in shards {
            // A shard that is gone already is stopped.
            let _ = shard.stop_and_wait(None, None).await;
        }
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

    pub(crate) fn table(&self) -> &Table {
        &self.inner.table
    }

    pub(crate) fn history(&self) -> &History {
        &self.inner.history
    }
}

impl Group {
    fn new(id: u32, cluster: &Cluster, prepared: &Prepared) -> Result<Self, Error> {
        let handle = cluster.group(id).ok_or(Error::NoMachine { group: id })?;
        let shared = prepared
            .seats
            .lock()
            .get(&id)
            .map(|seat| seat.shared.clone())
            .ok_or(Error::NoMachine { group: id })?;
        let (clock, leading) = watch::channel(None);
        Ok(Self { id, shared, proposer: Proposer::start(handle, leading), clock })
    }

    /// Milliseconds on the running leadership's clock, or the last stamp's.
    pub(crate) fn now(&self) -> u64 {
        self.clock.borrow().map_or_else(|| self.shared.get().now, |clock| clock.now())
    }
}
