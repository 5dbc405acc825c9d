//! The edges and media nodes that this process carries: its own, and those of members that are lost, at their addresses.
//! Who carries what stands in the directory's leases; an heir goes on from State as the member itself would after a
//! restart (`load`). From a host that lives they are taken over (`takeover`, and `handover` on its side).

mod carried;
mod estate;
pub(crate) mod handover;
mod hook;
mod load;
mod takeover;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use mangrove_membership::{Cluster, Command, Directory, HANDOVER, Lease, Reply};
use tokio::sync::Mutex;

use crate::{
    configuration::{Configuration, Role},
    serve::{Near, Store},
};
pub(crate) use carried::{Carried, Carrying};
pub(crate) use estate::Estate;
use load::release;

/// Between two looks at what could not be done at once.
const AGAIN: Duration = Duration::from_millis(250);
/// A node that starts leads its share before it asks for its addresses, or after so long all the same.
const SETTLES: Duration = Duration::from_secs(5);

/// Keeps what this process carries as the directory's leases say.
#[derive(Debug, Clone)]
pub(crate) struct Carrier {
    pub(crate) configuration: Configuration,
    pub(crate) cluster: Cluster,
    pub(crate) near: Near,
    pub(crate) store: Store,
    pub(crate) carried: Carried,
    tries: Arc<Mutex<BTreeMap<String, u32>>>,
    going: handover::Going,
    began: Instant,
}

impl Carrier {
    pub(crate) fn new(configuration: &Configuration, cluster: Cluster, near: Near, store: Store) -> Self {
        let (carried, tries, going) = (Carried::default(), Arc::default(), handover::Going::default());
        Self {
            configuration: configuration.clone(),
            cluster,
            near,
            store,
            carried,
            tries,
            going,
            began: Instant::now(),
        }
    }

    /// Carries the node's own addresses, unless an heir has them: `keep` fetches those. It gives them back once control has
    /// all that happened at them, which may wait for a group that this node is to lead.
    pub(crate) async fn begin(&self) -> Result<()> {
        if !self.configuration.has(Role::Edge) && !self.configuration.has(Role::Media) {
            return Ok(());
        }
        if self.are_with_heir() {
            // They are handed over, for which groups must be led: `keep` sees to it.
            release(self.cluster.name(), &self.configuration).await;
            return Ok(());
        }
        let lease = loop {
            match self.ask_for_own().await {
                Some(lease) => break lease,
                None => tokio::time::sleep(AGAIN).await,
            }
        };
        if lease.host != self.cluster.node() {
            tracing::info!(
                host = lease.host,
                "this node's addresses are with their heir until it returns them"
            );
            // The machine may still have them from the node's last life, and would answer for them.
            release(self.cluster.name(), &self.configuration).await;
            return Ok(());
        }
        if lease.from.is_some() {
            return Ok(());
        }
        self.carry(self.cluster.name(), lease, &self.configuration).await
    }

    /// Whether a living heir has the node's own addresses and hands them over.
    fn are_with_heir(&self) -> bool {
        let directory = self.cluster.directory();
        let lease = directory.lease(self.cluster.name()).filter(|lease| lease.host != self.cluster.node());
        let lives = |lease: Lease| directory.member(lease.host).is_some_and(|host| host.alive);
        directory.all_speak(HANDOVER) && lease.is_some_and(lives)
    }

    /// Follows the leases until the node stops.
    pub(crate) async fn keep(self) {
        let mut directory = self.cluster.watch_directory();
        loop {
            let is_done = self.round().await;
            let changed = directory.changed();
            if is_done {
                if changed.await.is_err() {
                    return;
                }
            } else {
                // Cut off by the pause: it is looked at again in any case.
                let _ = tokio::time::timeout(AGAIN, changed).await;
            }
        }
    }

    /// Makes what is carried what should be; false when something is left to do.
    async fn round(&self) -> bool {
        let (directory, node, own) = (self.cluster.directory(), self.cluster.node(), self.cluster.name());
        let mut is_done = true;
        for (name, epoch) in self.carried.names() {
            let lease = directory.lease(&name);
            if lease.is_some_and(|lease| lease.host != node && lease.from == Some(node)) {
                is_done = false;
                if !self.going.lingers(&name) {
                    self.put_down(&name).await;
                }
            } else if lease.is_none_or(|lease| (lease.host, lease.epoch) != (node, epoch)) {
                self.put_down(&name).await;
            } else if lease.is_some_and(|lease| lease.wanted) && name != own {
                self.put_down(&name).await;
                self.propose(Command::ReturnLease { name, from: node }).await;
            } else if lease.is_some_and(|lease| lease.is_on_its_way()) {
                // It was not heard when it was said first.
                self.say_ready(&name).await;
            }
        }
        self.refuse_new(&directory);
        for (name, lease) in &directory.leases {
            if lease.host == node && !lease.wanted && self.carried.get(name).is_none() {
                is_done &= self.pick_up(name, *lease).await;
            }
        }
        is_done & self.ask_or_yield(&directory).await
    }

    /// The node's own addresses are fetched, or all given away if it is about to go. Leads move before, each in its turn:
    /// what happens at an edge needs them.
    async fn ask_or_yield(&self, directory: &Directory) -> bool {
        let node = self.cluster.node();
        let goes = directory.member(node).is_some_and(|own| own.draining || own.stopping);
        if goes && !directory.yields(node).is_empty() {
            if !self.cluster.leads_any() {
                self.propose(Command::YieldLeases { id: node }).await;
            }
            return false;
        }
        // Lost and back, or started again: nobody asked for them yet.
        let are_away = directory.lease(self.cluster.name()).is_some_and(|lease| lease.host != node);
        if are_away && !goes {
            if self.cluster.leads_its_share() || self.began.elapsed() > SETTLES {
                self.ask_for_own().await;
            }
            return false;
        }
        true
    }

    /// What a draining node still carries nobody can take over: new calls are to go elsewhere.
    fn refuse_new(&self, directory: &Directory) {
        let node = self.cluster.node();
        let drains = directory.member(node).is_some_and(|own| own.draining) && directory.all_speak(HANDOVER);
        let stays = |name: &str| directory.lease(name).is_some_and(|lease| lease.host == node);
        for (name, _) in self.carried.names().into_iter().filter(|(name, _)| stays(name)) {
            let edge = self.carried.get(&name).and_then(|one| one.edge);
            edge.iter().for_each(|edge| edge.refuse_new(drains));
        }
    }

    async fn ask_for_own(&self) -> Option<Lease> {
        match self.propose(Command::TakeLease { id: self.cluster.node() }).await? {
            Reply::Leased { lease } => Some(lease),
            _ => None,
        }
    }

    /// Whether all that others can carry is carried elsewhere.
    pub(crate) fn has_handed_over(&self) -> bool {
        let (directory, node) = (self.cluster.directory(), self.cluster.node());
        let stays = |name: &str| directory.lease(name).is_some_and(|lease| lease.host == node);
        let carries_none = self.carried.names().iter().all(|(name, _)| stays(name));
        directory.yields(node).is_empty() && carries_none && self.going.is_empty()
    }

    /// Whether calls have their sound here that is to go to other nodes before this one ends.
    pub(crate) fn is_still_heard(&self) -> bool {
        let directory = self.cluster.directory();
        let sounds =
            |name: &str| self.carried.get(name).and_then(|one| one.media).is_some_and(|m| m.load() > 0);
        self.carried.names().iter().any(|(name, _)| directory.has_to_be_left(name) && sounds(name))
    }

    async fn propose(&self, command: Command) -> Option<Reply> {
        let outcome = self.cluster.propose_directory(command).await;
        outcome.inspect_err(|error| tracing::warn!(%error, "the directory does not answer for a lease")).ok()
    }
}
