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
    pub standing: Standing,
}

/// What may be expected of a node. In the order in which nodes are preferred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It answers and stays: it takes, keeps and leads.
    #[default]
    Staying,
    /// It does not answer and may be back in a moment: it keeps what it holds and gets nothing new.
    Away,
    /// It is about to leave: others take over what they can hold; it helps out while they are too few.
    Draining,
    /// It does not answer and is given up: others take over what they can hold, and it gets nothing new.
    Lost,
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
    /// Replicas that a group should have.
    pub(crate) fn wanted(&self) -> usize {
        self.replicas.max(1)
    }

    pub(crate) fn zone(&self, node: NodeId) -> &str {
        self.nodes.get(&node).map_or("", |node| &node.zone)
    }

    /// A node that is no more is lost.
    pub(crate) fn standing(&self, node: NodeId) -> Standing {
        self.nodes.get(&node).map_or(Standing::Lost, |node| node.standing)
    }

    pub(crate) fn standing_so(&self, wanted: Standing) -> BTreeSet<NodeId> {
        self.nodes.iter().filter(|(_, node)| node.standing == wanted).map(|(id, _)| *id).collect()
    }
}
