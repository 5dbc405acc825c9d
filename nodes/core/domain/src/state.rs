//! All that a shard group agrees on. Cheap to clone, so `apply` works on a copy and a snapshot never stops it.

mod due;
mod hash;
mod owed;
mod snapshot;

use std::{cmp::Ordering, sync::Arc};

use imbl::OrdMap;
use mangrove_proto::id::TenantId;
use serde::{Deserialize, Serialize};

use crate::{
    command::{NodeInfo, Sender},
    effect::{ObjectRef, Reply},
    moving::{Arrival, Hold},
    record::{Origin, Outbox, Record},
    tenant::Tenant,
};

pub(crate) use hash::of_bytes as hash_of;
pub use snapshot::RestoreError;

/// The state of one shard group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub(crate) tenants: OrdMap<TenantId, Arc<Tenant>>,
    pub(crate) nodes: OrdMap<String, Node>,
    pub(crate) senders: OrdMap<String, Mark>,
    pub(crate) outbox: Outbox,
    /// Tenants that come, go or are gone.
    #[serde(default)]
    pub(crate) holds: OrdMap<TenantId, Arc<Hold>>,
    /// Copies of tenants that may come.
    #[serde(default)]
    pub(crate) arrivals: OrdMap<TenantId, Arc<Arrival>>,
    /// By which version of the rules it is decided what happens.
    #[serde(default, skip_serializing_if = "crate::rules::are_first")]
    pub(crate) rules: u32,
}

/// A node and what it carries for this group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) info: Arc<NodeInfo>,
    /// Media sessions open there.
    pub(crate) sessions: u64,
    /// It is about to go: sessions leave it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) draining: bool,
}

/// The last event taken from a sender.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    run: u64,
    sequence: u64,
}

impl State {
    /// All tenants, by id.
    pub fn tenants(&self) -> impl Iterator<Item = (&TenantId, &Tenant)> {
        self.tenants.iter().map(|(id, tenant)| (id, tenant.as_ref()))
    }

    /// One tenant.
    pub fn tenant(&self, id: &TenantId) -> Option<&Tenant> {
        self.tenants.get(id).map(Arc::as_ref)
    }

    /// The nodes that were announced and not lost.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        self.nodes.values().map(|node| node.info.as_ref())
    }

    /// Whether sessions leave this node. It ends when the node is announced again.
    pub fn is_draining(&self, node: &str) -> bool {
        self.nodes.get(node).is_some_and(|node| node.draining)
    }

    /// Whether [`crate::Command::NodeDraining`] of this node changes anything: it was not said yet, or sessions are there
    /// still.
    pub fn is_to_drain(&self, node: &str) -> bool {
        self.nodes.get(node).is_some_and(|node| !node.draining || node.sessions > 0)
    }

    /// The high-water mark of each sender: `edge/<node>` or `media/<node>`, its run, its last sequence number.
    pub fn senders(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.senders.iter().map(|(name, mark)| (name.as_str(), mark.run, mark.sequence))
    }

    /// The version of the rules by which the group decides: see [`crate::rules`]. It never falls.
    pub fn rules(&self) -> u32 {
        self.rules
    }

    pub(crate) fn raise_rules(&mut self, to: u32) {
        self.rules = self.rules.max(to);
    }

    /// What SQL has not confirmed yet, in order.
    pub fn outbox(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.outbox.iter()
    }

    /// Where a record came from, if it was not made in this group of this cluster.
    pub fn origin(&self, number: u64) -> Option<Origin> {
        self.outbox.origin(number)
    }

    /// How many records SQL has not confirmed yet.
    pub fn outbox_len(&self) -> usize {
        self.outbox.len()
    }

    /// Every object that has, or should have, an actor.
    pub fn objects(&self) -> impl Iterator<Item = ObjectRef> {
        self.tenants.iter().flat_map(|(id, tenant)| {
            let calls = tenant.calls.keys().map(|call| ObjectRef::Call(id.clone(), *call));
            let agents = tenant.agents.keys().map(|agent| ObjectRef::Agent(id.clone(), agent.clone()));
            let queues = tenant.queues.keys().map(|group| ObjectRef::Queue(id.clone(), group.clone()));
            std::iter::once(ObjectRef::Tenant(id.clone())).chain(calls).chain(agents).chain(queues)
        })
    }

    /// Takes an event by its number: the next one of the sender's run, or the first of a later run. A number that was
    /// taken before is [`Reply::Seen`]; after a gap, [`Reply::Gap`], nothing is taken: what lies between may still come.
    pub(crate) fn take_event(&mut self, kind: &str, sender: &Sender, sequence: u64) -> Result<(), Reply> {
        let mark = self.senders.entry(format!("{kind}/{}", sender.node)).or_default();
        let last = match sender.run.cmp(&mark.run) {
            Ordering::Less => return Err(Reply::Seen),
            Ordering::Equal => mark.sequence,
            Ordering::Greater => 0,
        };
        match sequence {
            taken if taken <= last => Err(Reply::Seen),
            next if next == last + 1 => {
                *mark = Mark { run: sender.run, sequence };
                Ok(())
            }
            _ => Err(Reply::Gap { last }),
        }
    }

    /// The media node with the fewest sessions of this group; the first by name among equals. One that is about to go only
    /// where no other is left.
    pub(crate) fn least_loaded_media(&self) -> Option<String> {
        let media = self.nodes.values().filter(|node| node.info.media);
        media.min_by_key(|node| (node.draining, node.sessions)).map(|node| node.info.name.clone())
    }

    pub(crate) fn count_session(&mut self, node: &str, more: bool) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.sessions = if more { node.sessions + 1 } else { node.sessions.saturating_sub(1) };
        }
    }
}
