//! What may be asked of the directory, what it answers, and why it refuses.

use std::collections::BTreeSet;

use mangrove_placement::Plan;
use mangrove_raft::{GroupId, NodeId};
use serde::{Deserialize, Serialize};

use super::{Founding, Home, Member, Name};

/// A change of the directory. Repeating one is harmless except where it says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Founds the cluster with its first member, which holds all groups.
    Found { founding: Founding, member: Member },
    /// Takes in a new member (id 0) or updates a known one. A second new member of the same name is refused.
    JoinMember { member: Member },
    /// The member is alive.
    HeartbeatMember { id: NodeId, at_ms: u64 },
    /// Begins or ends the member's draining.
    DrainMember { id: NodeId, draining: bool },
    /// Forgets the member. Its id is never given again.
    LeaveMember { id: NodeId },
    /// These groups have begun.
    OpenGroups { groups: BTreeSet<GroupId> },
    /// Replaces the plan.
    SetPlan { plan: Plan },
    /// Gives the tenant a home, in the group with the fewest tenants; a tenant with a home keeps it.
    PlaceTenant { tenant: String },
    /// Forgets the tenant and releases its names.
    RemoveTenant { tenant: String },
    /// Makes these exactly the tenant's names, all or none of them.
    Claim { tenant: String, names: BTreeSet<Name> },
    /// Takes these names from the tenant, where it has them.
    Release { tenant: String, names: BTreeSet<Name> },
    /// A sender of numbered events begins anew; earlier incarnations are heard no more.
    StartSender { sender: String, incarnation: u64 },
    /// The sender is gone; what is known of its numbers may be forgotten.
    RetireSender { sender: String },
}

/// What the directory answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    Done,
    Joined { id: NodeId },
    Placed { home: Home },
}

/// Why the directory refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    #[error("{} {} belongs to tenant {holder}", name.kind, name.name)]
    Held { name: Name, holder: String },
    #[error("node name {name} belongs to node {id}; remove that one first")]
    NameTaken { name: String, id: NodeId },
    #[error("there is no node {0} in the cluster")]
    UnknownMember(NodeId),
    #[error("there is no tenant {0} in the directory")]
    UnknownTenant(String),
    #[error("sender {sender} is in incarnation {known} already")]
    StaleSender { sender: String, known: u64 },
    #[error("the cluster has been founded already")]
    AlreadyFounded,
    #[error("the cluster has not been founded yet")]
    NotFounded,
    #[error("the plan names node {0}, which is not in the cluster")]
    BadPlan(NodeId),
    #[error("the command cannot be read: {0}")]
    Unreadable(String),
}
