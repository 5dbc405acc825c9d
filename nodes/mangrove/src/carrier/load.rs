//! Picking up a member's addresses, with its edge and media node at them, and putting them down.

use std::collections::BTreeMap;

use anyhow::Result;
use mangrove_membership::{Command, Lease};

use super::{Carrier, Carrying, Estate, hook};
use crate::{configuration::Configuration, serve::roles};

/// So often an heir tries to bind a lost member's addresses before another one may.
const TRIES: u32 = 20;

impl Carrier {
    /// As an heir, or as the member itself when it has its addresses back.
    pub(super) async fn pick_up(&self, name: &str, lease: Lease) -> bool {
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

    pub(super) async fn carry(&self, name: &str, lease: Lease, configuration: &Configuration) -> Result<()> {
        let taken = match lease.from {
            Some(host) => self.take_over(name, lease, host, configuration).await,
            None => Err(anyhow::anyhow!("nobody carries them")),
        };
        if let Err(why) = taken {
            if lease.from.is_some() {
                tracing::warn!(member = name, error = format!("{why:#}"), "addresses can't be taken over");
            }
            hook::run(configuration, hook::Change::Acquire).await?;
            let one = self.open(lease.epoch, configuration).await?;
            self.carried.put(name, one);
            if lease.is_on_its_way() {
                self.say_ready(name).await;
            }
        }
        if name == self.cluster.name() {
            self.cluster.set_addresses(self.own_addresses()).await;
        }
        Ok(())
    }

    /// Edge and media node at the configuration's addresses.
    async fn open(&self, epoch: u64, configuration: &Configuration) -> Result<Carrying> {
        let edge = roles::edge(configuration, epoch, false, &self.near).await?;
        let media = match roles::media(configuration, epoch, false, &self.near, &self.store) {
            Ok(media) => media,
            Err(error) => {
                if let Some(edge) = edge {
                    edge.shutdown().await;
                }
                return Err(error);
            }
        };
        Ok(Carrying { epoch, edge, media })
    }

    /// As members should know them.
    fn own_addresses(&self) -> BTreeMap<String, String> {
        let edge = self.carried.get(self.cluster.name()).and_then(|own| own.edge);
        let contacts = edge.map(|edge| edge.contacts()).unwrap_or_default();
        Estate::of(&self.configuration).addresses(&self.configuration, &contacts)
    }

    pub(super) async fn put_down(&self, name: &str) {
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
        self.going.forget(name);
        self.bring_away(name).await;
    }

    /// Takes a member's addresses off this machine.
    pub(super) async fn bring_away(&self, name: &str) {
        let own = name == self.cluster.name();
        let configuration = if own { Some(self.configuration.clone()) } else { self.inherited(name) };
        if let Some(configuration) = configuration {
            release(name, &configuration).await;
        }
    }
}

/// Takes a member's addresses off this machine.
pub(super) async fn release(member: &str, configuration: &Configuration) {
    if let Err(error) = hook::run(configuration, hook::Change::Release).await {
        tracing::warn!(
            member,
            error = format!("{error:#}"),
            "an address could not be taken off this machine"
        );
    }
}
