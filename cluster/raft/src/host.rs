//! All groups of one node over one store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use openraft::RaftNetworkFactory;
use openraft::network::NetSnapshot;
use tokio::sync::watch;

use crate::applier::{Applier, Progress};
use crate::failure::Failure;
use crate::leadership;
use crate::machine::StateMachine;
use crate::{Error, GroupId, Handle, NodeId, Owner, Peer, Raft, Store, Tuning, TypeConfig};

/// Starts and stops groups. Clones share them.
#[derive(Debug, Clone)]
pub struct GroupHost {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    owner: Owner,
    tuning: Tuning,
    failure: Failure,
    disk: watch::Receiver<Option<String>>,
    // Taken on shutdown, so that the disk is free once that returns.
    store: Mutex<Option<Store>>,
    groups: Mutex<BTreeMap<GroupId, Handle>>,
}

impl GroupHost {
    /// A host without groups. `owner` is this node, in this cluster. Call it inside a runtime.
    pub fn new(store: Store, owner: Owner, tuning: Tuning) -> Self {
        let disk = store.watch_failure();
        let failure = Failure::of_disk(disk.clone());
        let (store, groups) = (Mutex::new(Some(store)), Mutex::default());
        let shared = Arc::new(Shared { owner, tuning, failure, disk: disk.clone(), store, groups });
        tokio::spawn(step_down(Arc::downgrade(&shared), disk));
        Self { shared }
    }

    /// Recovers a group from disk and runs it: the machine is given its last snapshot and the entries known committed
    /// after it before this returns. A group whose only voter is this node stands for election at once.
    pub async fn start_group<N>(
        &self,
        group: GroupId,
        machine: Box<dyn StateMachine>,
        network: N,
    ) -> Result<Handle, Error>
    where
        N: RaftNetworkFactory<TypeConfig>,
        N::Network: NetSnapshot<TypeConfig, SnapshotData = bytes::Bytes>,
    {
        let (log, snapshots) = {
            let store = lock(&self.shared.store);
            let store = store.as_ref().ok_or(Error::Stopped)?;
            (store.group(group)?, store.snapshots(group)?)
        };
        let progress = Progress::default();
        let applier = Applier::new(machine, snapshots, progress.clone());
        let config = self.shared.tuning.config()?;
        let node = self.shared.owner.node;
        let raft = Raft::new(node, config, network, log, applier).await?;
        let leadership = leadership::follow(&raft, self.shared.owner.incarnation, progress.blank.subscribe());
        let handle =
            Handle::new(group, raft, leadership, progress.applied, self.shared.tuning.propose_timeout);
        lock(&self.shared.groups).insert(group, handle.clone());
        tokio::spawn(note_end(Arc::downgrade(&self.shared), handle.clone()));
        self.elect_if_alone(&handle).await?;
        Ok(handle)
    }

    /// Gives a new group its first voters and starts its first election; a group that has any is left alone.
    pub async fn found_group(&self, group: GroupId, voters: BTreeMap<NodeId, Peer>) -> Result<(), Error> {
        let raft = self.raft(group).ok_or(Error::Stopped)?;
        if raft.is_initialized().await? {
            return Ok(());
        }
        raft.initialize(voters).await.map_err(|error| Error::Refused(error.to_string()))
    }

    /// Stops a group on this node. What it has is kept on disk.
    pub async fn stop_group(&self, group: GroupId) {
        let running = lock(&self.shared.groups).remove(&group);
        if let Some(handle) = running
            && let Err(error) = handle.raft.shutdown().await
        {
            tracing::warn!(group, %error, "a Raft group did not stop cleanly");
        }
    }

    /// A running group.
    pub fn handle(&self, group: GroupId) -> Option<Handle> {
        lock(&self.shared.groups).get(&group).cloned()
    }

    /// A running group, for incoming messages.
    pub fn raft(&self, group: GroupId) -> Option<Raft> {
        self.handle(group).map(|handle| handle.raft)
    }

    /// The groups running here, in order.
    pub fn groups(&self) -> Vec<GroupId> {
        lock(&self.shared.groups).keys().copied().collect()
    }

    /// Whose groups these are.
    pub fn owner(&self) -> Owner {
        self.shared.owner
    }

    /// Turns `Some` with the reason, and stays so, once the disk has failed or a group has ended that nobody stopped:
    /// this node can't do all that is expected of it until it is started again. Groups that still run go on.
    pub fn watch_failure(&self) -> watch::Receiver<Option<String>> {
        self.shared.failure.watch()
    }

    /// As `watch_failure`, of the disk alone: all groups have ended here then, and a start on the disk as it is read anew may
    /// go on.
    pub fn watch_disk(&self) -> watch::Receiver<Option<String>> {
        self.shared.disk.clone()
    }

    /// Says that a part of this node has failed for good, for those who watch for it. The first reason stands.
    pub fn fail(&self, reason: String) {
        self.shared.failure.raise(reason);
    }

    /// Stops all groups and closes the store.
    pub async fn shutdown(&self) {
        for group in self.groups() {
            self.stop_group(group).await;
        }
        let store = lock(&self.shared.store).take();
        // Closing waits for the writer's last batch.
        if tokio::task::spawn_blocking(move || drop(store)).await.is_err() {
            tracing::error!("closing the Raft log panicked");
        }
    }

    async fn elect_if_alone(&self, handle: &Handle) -> Result<(), Error> {
        if handle.voters().await? == [self.shared.owner.node] {
            handle.raft.trigger().elect(false).await?;
        }
        Ok(())
    }
}

/// Ends all groups once the disk has failed. One that has nothing to write would lead on otherwise, and learn of it from
/// the first command that it can't keep.
async fn step_down(host: Weak<Shared>, mut disk: watch::Receiver<Option<String>>) {
    if disk.wait_for(Option::is_some).await.is_err() {
        return;
    }
    let Some(host) = host.upgrade() else { return };
    let handles: Vec<_> = lock(&host.groups).values().cloned().collect();
    let ends = handles.iter().map(|handle| handle.raft.shutdown());
    // Those that the failure has ended already have no other end.
    futures::future::join_all(ends).await;
}

/// Waits for a group's end and raises the failure unless it was stopped here: what openraft gives up on, a damaged log
/// or a state machine that panics, it does not take up again.
async fn note_end(host: Weak<Shared>, handle: Handle) {
    let mut leadership = handle.watch_leadership();
    while leadership.changed().await.is_ok() {}
    let Some(host) = host.upgrade() else { return };
    let running = lock(&host.groups).get(&handle.group()).is_some_and(|now| now.is_same(&handle));
    if running && host.disk.borrow().is_none() {
        let why = handle.raft.is_initialized().await.err().map(|fatal| fatal.to_string());
        let why = why.unwrap_or_else(|| "nobody follows it any more".into());
        host.failure.raise(format!("group {} has ended: {why}", handle.group()));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests;
