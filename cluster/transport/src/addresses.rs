//! Where nodes are now. A group's membership names addresses too, but openraft keeps a link to a replica that stays
//! one, whatever its address becomes: a node that comes back elsewhere would never be heard of again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mangrove_raft::NodeId;

/// Addresses by node, as told last. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses(Arc<Mutex<BTreeMap<NodeId, String>>>);

impl Addresses {
    pub(crate) fn know(&self, addresses: BTreeMap<NodeId, String>) {
        *self.lock() = addresses;
    }

    /// `otherwise` for a node of which nothing was told.
    pub(crate) fn of(&self, node: NodeId, otherwise: &str) -> String {
        self.lock().get(&node).cloned().unwrap_or_else(|| otherwise.into())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<NodeId, String>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
