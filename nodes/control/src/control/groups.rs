//! Groups on this node: they begin here, come from other nodes, and leave, while calls go on.

use std::sync::{Arc, atomic::Ordering};

use mangrove_membership::Leadership;
use ractor::Actor;
use tokio::sync::Notify;

use super::{
    Control, Error,
    tend::{Running, Tools},
};
use crate::{
    fresh,
    group::{Group, Seat},
    moving,
    outbox::{self, Outbox},
    ports,
    shard::{self, Shard},
};

impl Control {
    /// Starts the groups' actors. Call it once, when this node's own edge and media are announced: a leader sends what
    /// is owed at once. The ports of all groups' calls are taken before any group takes a new call.
    pub async fn lead(&self) -> Result<(), Error> {
        let groups = self.groups();
        let led: Vec<_> = groups.iter().filter_map(|group| self.led(group)).collect();
        ports::take(&led, &self.inner.peers).await;
        let mut unopened = std::mem::take(&mut *self.inner.unopened.lock());
        for group in groups {
            // What has become of a group since it was made, `keep_groups` sees.
            if let Some(seat) = unopened.remove(&group.id) {
                self.open(group, seat).await?;
            }
        }
        tokio::spawn(self.clone().keep_groups());
        Ok(())
    }

    /// Opens groups that come to this node and closes those that leave it, until the role stops.
    async fn keep_groups(self) {
        let mut here = self.inner.cluster.watch_groups();
        while !self.inner.stopping.load(Ordering::Acquire) {
            let wanted = here.borrow_and_update().clone();
            for group in self.groups().iter().filter(|group| !wanted.contains(&group.id)) {
                self.close(group.id).await;
            }
            for id in wanted {
                if let Err(error) = self.come(id).await {
                    tracing::error!(group = id, %error, "a group came to this node and can't be opened");
                    self.inner.cluster.fail(error.to_string());
                }
            }
            if here.changed().await.is_err() {
                return;
            }
        }
    }

    /// Opens a group whose machine was made since this was last looked at.
    async fn come(&self, id: u32) -> Result<(), Error> {
        // One that has ended meanwhile, or is starting again, is a change to come.
        let Some(handle) = self.inner.cluster.group(id) else { return Ok(()) };
        let Some(seat) = self.inner.seats.take(id) else { return Ok(()) };
        self.close(id).await;
        let group = Arc::new(Group::new(handle, &seat, &self.inner.forward));
        self.inner.groups.write().insert(id, group.clone());
        self.open(group, seat).await
    }

    async fn open(&self, group: Arc<Group>, seat: Seat) -> Result<(), Error> {
        self.inner.table.rebuild(group.id, &group.shared.get());
        let tools = Tools { moving: Arc::new(Notify::new()), outbox: self.start_outbox(&group) };
        let shard = self.start_shard(&group, &tools).await?;
        self.keep_fresh(&group);
        self.keep_moving(&group, tools.moving.clone());
        seat.followed.store(true, Ordering::Release);
        tokio::spawn(self.clone().tend(group, tools, shard, seat.applied));
        Ok(())
    }

    /// The group has no replica here any more.
    async fn close(&self, id: u32) {
        if let Some(mover) = self.inner.movers.lock().remove(&id) {
            mover.abort();
        }
        let shard = self.inner.shards.lock().remove(&id);
        self.inner.groups.write().remove(&id);
        if let Some(shard) = shard {
            // A shard that is gone already is stopped.
            let _ = shard.stop_and_wait(None, None).await;
        }
    }

    /// The group as it stands, if this node leads it.
    fn led(&self, group: &Group) -> Option<ports::Led> {
        match group.handle.leadership() {
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

    fn keep_moving(&self, group: &Group, work: Arc<Notify>) {
        let mover = tokio::spawn(moving::keep(moving::Mover {
            control: self.clone(),
            group: group.id,
            shared: group.shared.clone(),
            proposer: group.proposer.clone(),
            leading: group.clock.subscribe(),
            work,
        }));
        self.inner.movers.lock().insert(group.id, mover.abort_handle());
    }

    fn start_outbox(&self, group: &Group) -> Outbox {
        Outbox::start(outbox::Parts {
            group: group.id,
            incarnation: self.inner.cluster.incarnation(),
            shared: group.shared.clone(),
            progress: group.progress.clone(),
            proposer: group.proposer.clone(),
            history: self.inner.history.clone(),
            stories: self.inner.stories.clone(),
            leading: group.clock.subscribe(),
            waits: self.waits().clone(),
        })
    }

    /// Starts the group's shard, the first or another one after it fell.
    pub(super) async fn start_shard(&self, group: &Group, tools: &Tools) -> Result<Running, Error> {
        let context = shard::Context {
            group: group.id,
            shared: group.shared.clone(),
            progress: group.progress.clone(),
            proposer: group.proposer.clone(),
            peers: self.inner.peers.clone(),
            hub: self.inner.hub.clone(),
            stories: self.inner.stories.clone(),
            outbox: tools.outbox.clone(),
            table: self.inner.table.clone(),
            clock: group.clock.clone(),
            moving: tools.moving.clone(),
            retry: self.inner.pace.retry,
            respawn: self.inner.pace.respawn,
        };
        let name = format!("shard-{}-{}", self.inner.cluster.node(), group.id);
        let started = Shard::spawn(Some(name), Shard, context).await;
        let (shard, ended) = started.map_err(|source| Error::Actor { group: group.id, source })?;
        self.inner.shards.lock().insert(group.id, shard.clone());
        Ok(Running { shard, ended })
    }
}
