//! The words of the planner: nodes, groups, plans.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A Raft group.
pub type GroupId = u32;
/// A member of the cluster.
pub type NodeId = u64;

/// What there is to place, and on what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    pub groups: BTreeSet<GroupId>,
    /// Nodes that may hold replicas.
    pub nodes: BTreeMap<NodeId, Node>,
    /// Replicas a group should have; at least one.
    pub replicas: usize,
}

/// A node as far as placement cares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// What fails together with it.
    pub zone: String,
    /// It is about to leave: take from it what others can hold.
    pub draining: bool,
}

/// Where every group should be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub groups: BTreeMap<GroupId, Place>,
}

/// One group's nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// In order of their ids; never empty in a plan of `solve`.
    pub replicas: Vec<NodeId>,
    /// The replica that should lead.
    pub leader: NodeId,
}

impl Problem {
    /// Replicas that a group can have now.
    pub(crate) fn wanted(&self) -> usize {
        self.replicas.max(1).min(self.nodes.len())
    }

    /// Nodes that stay, or all if too few stay.
    pub(crate) fn usable(&self) -> BTreeSet<NodeId> {
        let staying: BTreeSet<_> =
            self.nodes.iter().filter(|(_, node)| !node.draining).map(|(id, _)| *id).collect();
        if staying.len() >= self.wanted() { staying } else { self.nodes.keys().copied().collect() }
    }

    pub(crate) fn zone(&self, node: NodeId) -> &str {
        self.nodes.get(&node).map_or("", |node| &node.zone)
    }

    pub(crate) fn drains(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|node| node.draining)
    }
}
