//! The edges and media nodes that this process carries: its own, and those of members that are lost, at their addresses.
//! Who carries what stands in the directory's leases; an heir goes on from State as the member itself would after a
//! restart.

mod carried;
mod estate;
mod hook;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Result;
use mangrove_membership::{Cluster, Command, Lease, Reply};
use tokio::sync::Mutex;

use crate::{
    configuration::{Configuration, Role},
    serve::{Near, Store, roles},
};
pub(crate) use carried::{Carried, Carrying};
pub(crate) use estate::Estate;

/// Between two looks at what could not be done at once.
const AGAIN: Duration = Duration::from_millis(250);
/// So often an heir tries to bind a lost member's addresses before another one may.
const TRIES: u32 = 20;

/// Keeps what this process carries as the directory's leases say.
#[derive(Debug, Clone)]
pub(crate) struct Carrier {
    pub(crate) configuration: Configuration,
    pub(crate) cluster: Cluster,
    pub(crate) near: Near,
    pub(crate) store: Store,
    pub(crate) carried: Carried,
    tries: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Carrier {
    pub(crate) fn new(configuration: &Configuration, cluster: Cluster, near: Near, store: Store) -> Self {
        let (carried, tries) = (Carried::default(), Arc::default());
        Self { configuration: configuration.clone(), cluster, near, store, carried, tries }
    }

    /// Carries the node's own addresses, unless an heir has them: `keep` fetches those. It gives them back once control has
    /// all that happened at them, which may wait for a group that this node is to lead.
    pub(crate) async fn begin(&self) -> Result<()> {
        if !self.configuration.has(Role::Edge) && !self.configuration.has(Role::Media) {
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
        self.carry(self.cluster.name(), lease, &self.configuration).await
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
            if lease.is_none_or(|lease| (lease.host, lease.epoch) != (node, epoch)) {
                self.put_down(&name).await;
            } else if lease.is_some_and(|lease| lease.wanted) && name != own {
                self.put_down(&name).await;
                self.propose(Command::ReturnLease { name, from: node }).await;
            }
        }
        for (name, lease) in &directory.leases {
            if lease.host == node && !lease.wanted && self.carried.get(name).is_none() {
                is_done &= self.pick_up(name, *lease).await;
            }
        }
        if directory.lease(own).is_some_and(|lease| lease.host != node) {
            // Lost and back: nobody asked for them yet.
            self.ask_for_own().await;
            is_done = false;
        }
        is_done
    }

    async fn ask_for_own(&self) -> Option<Lease> {
        match self.propose(Command::TakeLease { id: self.cluster.node() }).await? {
            Reply::Leased { lease } => Some(lease),
            _ => None,
        }
    }

    /// As an heir, or as the member itself when it has its addresses back.
    async fn pick_up(&self, name: &str, lease: Lease) -> bool {
        let own = name == self.cluster.name();
        let configuration = if own { Some(self.configuration.clone()) } else { self.inherited(name) };
        let Some(configuration) = configuration else { return true };
        match self.carry(name, lease, &configuration).await {
            Ok(()) => {
                tracing::warn!(member = name, epoch = lease.epoch, own, "carries a member's addresses");
                self.tries.lock().await.remove(name);
                true
            }
            Err(error) => {
                tracing::warn!(
                    member = name,
                    error = format!("{error:#}"),
                    "a member's addresses can't be carried yet"
                );
                self.failed(name).await;
                false
            }
        }
    }

    fn inherited(&self, name: &str) -> Option<Configuration> {
        let directory = self.cluster.directory();
        let estate = Estate::read(&directory.member_named(name)?.addresses)?;
        Some(estate.carried_by(name, &self.configuration))
    }

    async fn failed(&self, name: &str) {
        let mut tries = self.tries.lock().await;
        let count = tries.entry(name.to_owned()).or_default();
        *count += 1;
        if *count >= TRIES && name != self.cluster.name() {
            tries.remove(name);
            drop(tries);
            self.propose(Command::RefuseLease { name: name.to_owned(), from: self.cluster.node() }).await;
        }
    }

    async fn carry(&self, name: &str, lease: Lease, configuration: &Configuration) -> Result<()> {
        hook::run(configuration, hook::Change::Acquire).await?;
        let edge = roles::edge(configuration, lease.epoch, &self.near).await?;
        let media = match roles::media(configuration, lease.epoch, &self.near, &self.store) {
            Ok(media) => media,
            Err(error) => {
                if let Some(edge) = edge {
                    edge.shutdown().await;
                }
                return Err(error);
            }
        };
        self.carried.put(name, Carrying { epoch: lease.epoch, edge, media });
        if name == self.cluster.name() {
            self.cluster.set_addresses(self.own_addresses()).await;
        }
        Ok(())
    }

    /// As members should know them.
    fn own_addresses(&self) -> BTreeMap<String, String> {
        let edge = self.carried.get(self.cluster.name()).and_then(|own| own.edge);
        let contacts = edge.map(|edge| edge.contacts()).unwrap_or_default();
        Estate::of(&self.configuration).addresses(&self.configuration, &contacts)
    }

    async fn put_down(&self, name: &str) {
        let Some(one) = self.carried.take(name) else { return };
        tracing::warn!(
            member = name,
            epoch = one.epoch,
            "a member's addresses are carried elsewhere from now on"
        );
        if let Some(edge) = one.edge {
            // To its end: cut short it would keep its sockets, and the member could never bind them.
            edge.shutdown().await;
        }
        if let Some(media) = one.media {
            media.stop().await;
        }
        let own = name == self.cluster.name();
        let configuration = if own { Some(self.configuration.clone()) } else { self.inherited(name) };
        if let Some(configuration) = configuration {
            release(name, &configuration).await;
        }
    }

    async fn propose(&self, command: Command) -> Option<Reply> {
        let outcome = self.cluster.propose_directory(command).await;
        outcome.inspect_err(|error| tracing::warn!(%error, "the directory does not answer for a lease")).ok()
    }
}

/// Takes a member's addresses off this machine.
async fn release(member: &str, configuration: &Configuration) {
    if let Err(error) = hook::run(configuration, hook::Change::Release).await {
        tracing::warn!(
            member,
            error = format!("{error:#}"),
            "an address could not be taken off this machine"
        );
    }
}
