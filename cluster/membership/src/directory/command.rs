//! What may be asked of the directory, what it answers, and why it refuses.

use std::collections::BTreeSet;

use mangrove_placement::Plan;
use mangrove_raft::{GroupId, NodeId};
use serde::{Deserialize, Serialize};

use super::{Founding, Home, Lease, Member, Name};

/// A change of the directory. Repeating one is harmless except where it says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Founds the cluster with its first member, which holds all groups.
    Found { founding: Founding, member: Member },
    /// Takes in a new member (id 0) or updates a known one, whose liveness and draining stay as they are. Refused: a
    /// name in use, a protocol that does not fit, a node that has left, the disk of an earlier start, a new member that
    /// would write history to another database than the others.
    JoinMember { member: Member },
    /// The member is alive.
    HeartbeatMember { id: NodeId, at_ms: u64 },
    /// Begins or ends the member's draining; its addresses come back with the end. Refused for the last that may lead,
    /// carry signalling, or carry sound.
    DrainMember { id: NodeId, draining: bool },
    /// The member is about to end and be started again: what it leads goes to others, its replicas stay. Over with its
    /// next start.
    StopMember { id: NodeId },
    /// The member, which drains or stops, hands over all addresses that heirs can carry.
    YieldLeases { id: NodeId },
    /// The new host of a member's addresses takes what it is told, beside the one that hands them over.
    ReadyLease { name: String, host: NodeId },
    /// Forgets the member, which drains or is dead. Its id is never given again. Refused while a group counts on it.
    LeaveMember { id: NodeId },
    /// Gives up a dead member: others take its replicas at once, and it leaves when no group counts on it. A new
    /// member may have its name.
    ReplaceMember { id: NodeId },
    /// Group 0's leader of this term has no answer from the member. In another term it says nothing and is refused.
    MemberLost { id: NodeId, term: u64 },
    /// The member answers group 0's leader of this term.
    MemberBack { id: NodeId, term: u64 },
    /// As the two above, of several at once: of those who are lost together none is another's heir. What says nothing of a
    /// member changes nothing; unknown ones are passed over. Only where all members speak [`super::TOGETHER`].
    MembersJudged { lost: BTreeSet<NodeId>, back: BTreeSet<NodeId>, term: u64 },
    /// The member is about to carry its own addresses, or wants them back from its heir.
    TakeLease { id: NodeId },
    /// The heir has stopped carrying a member's addresses, which waits for them.
    ReturnLease { name: String, from: NodeId },
    /// The heir can't carry a member's addresses.
    RefuseLease { name: String, from: NodeId },
    /// These groups have begun.
    OpenGroups { groups: BTreeSet<GroupId> },
    /// Replaces the plan.
    SetPlan { plan: Plan },
    /// Gives the tenant a home, in the group with the fewest tenants; a tenant with a home keeps it.
    PlaceTenant { tenant: String },
    /// Forgets the tenant and releases its names. Refused while it moves.
    RemoveTenant { tenant: String },
    /// Begins to move the tenant to another shard group; answers with its epoch there. Refused: an unknown tenant or
    /// group, the group that it is in, a group with a replica on a draining member, a move under way.
    MoveTenant { tenant: String, to: GroupId },
    /// The new group has the tenant: from now on its home is there.
    FlipTenant { tenant: String, epoch: u64 },
    /// The tenant stays where it is. Refused once it has a new home.
    GiveUpMove { tenant: String, epoch: u64, why: String },
    /// Nothing is left to do for this move, done or given up.
    EndMove { tenant: String, epoch: u64 },
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
    Leased { lease: Lease },
    Moving { epoch: u64 },
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
    #[error("there is no shard group {group}: they are 1 to {groups}")]
    UnknownGroup { group: GroupId, groups: u32 },
    #[error("tenant {tenant} is in group {group} already")]
    AtHome { tenant: String, group: GroupId },
    #[error(
        "node {name} drains and has a replica of group {group}; wait until it has left or end its draining"
    )]
    GroupDrained { group: GroupId, name: String },
    #[error("tenant {tenant} is on its way from group {from} to group {to}; try again when it is there")]
    UnderWay { tenant: String, from: GroupId, to: GroupId },
    #[error("tenant {tenant} has its new home already; its move can't be given up any more")]
    Flipped { tenant: String },
    #[error("tenant {tenant} does not move under epoch {epoch} (any more)")]
    NoMove { tenant: String, epoch: u64 },
    #[error(
        "tenants move only when all nodes speak protocol {needed}, one speaks {oldest}; upgrade the others first"
    )]
    MovesNeed { oldest: u32, needed: u32 },
    #[error("sender {sender} is in incarnation {known} already")]
    StaleSender { sender: String, known: u64 },
    #[error("the cluster has been founded already")]
    AlreadyFounded,
    #[error("the cluster has not been founded yet")]
    NotFounded,
    #[error("the plan names node {0}, which is not in the cluster")]
    BadPlan(NodeId),
    #[error("the plan leaves group {0} without a replica")]
    EmptyPlan(GroupId),
    #[error(
        "node {0} has left the cluster and its id is never used again; empty its data folder and join as a new node"
    )]
    HasLeft(NodeId),
    #[error(
        "node {name} has started {known} times, this data folder knows of {boot}: it is a copy or an old backup; \
             use the folder that the node ran with last, or empty it and join as a new node"
    )]
    OldDisk { name: String, boot: u64, known: u64 },
    #[error(
        "this build speaks protocol {protocol}, the cluster takes {oldest} to {newest}; install a version that fits"
    )]
    Protocol { protocol: u32, oldest: u32, newest: u32 },
    #[error(
        "node {name} holds replicas of {groups} groups; drain it and let it leave before it gives up `control`"
    )]
    NeedsControl { name: String, groups: usize },
    #[error(
        "node {name} writes history to {database}, node {other} to {theirs}: a cluster has one history; set \
         `database.url` of all control nodes to one PostgreSQL, or to one SQLite file if all run on one machine"
    )]
    TwoHistories { name: String, database: String, other: String, theirs: String },
    #[error("a cluster is founded by a node with the role `control`")]
    NoControl,
    #[error(
        "node {name} is the last one with the role `control` that answers and stays; add another one first"
    )]
    LastControl { name: String },
    #[error(
        "node {name} is the last one with the role `{role}` that answers and stays; add another one first"
    )]
    LastRole { name: String, role: String },
    #[error("node {name} answers and does not drain; run `mangrove drain {name}` first")]
    NotDrained { name: String },
    #[error("node {name} should still lead group {group}; wait for `mangrove drain {name}` to finish")]
    StillLeads { name: String, group: GroupId },
    #[error("no other node that answers holds a replica of group {group}; bring one back or add one first")]
    LastReplica { group: GroupId },
    #[error("node {name} answers; drain it and let it leave instead")]
    StillAlive { name: String },
    #[error("term {now} has begun, the verdict is of term {seen}; only the present leader says who answers")]
    StaleVerdict { seen: u64, now: u64 },
    #[error("the command cannot be read: {0}")]
    Unreadable(String),
    #[error("the rules failed at log position {index} and the command was dropped; report it as a bug")]
    Panicked { index: u64 },
}
