//! The directory: members, plan, tenants, names, senders. Pure: `apply` is all that changes it, on every replica alike.
//!
//! Cloning is cheap (persistent maps), so readers keep the copy they have while the next command is applied.

mod command;
mod databases;
mod leases;
mod liveness;
mod members;
mod moves;
mod names;
mod protocol;
mod refound;
mod removal;
mod senders;
mod tenants;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use imbl::{OrdMap, OrdSet};
use mangrove_placement::{Place, Plan};
use mangrove_raft::{GroupId, NodeId};
use serde::{Deserialize, Serialize};

pub use command::{Command, Refusal, Reply};
pub use databases::{DATABASES, Database};
pub use leases::{HANDOVER, LEAVING, Lease, NETWORK};
pub use liveness::TOGETHER;
pub use moves::{Move, Stage};
pub use protocol::RULES;

/// What every node knows of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Directory {
    /// Index of the last command applied.
    pub version: u64,
    /// Set by the first command.
    pub founding: Option<Founding>,
    pub members: OrdMap<NodeId, Member>,
    /// Where groups should be; members work towards it.
    pub plan: Plan,
    /// Groups that have begun. Only these may be moved: others are still to be begun where the founding put them.
    pub opened: OrdSet<GroupId>,
    pub tenants: OrdMap<String, Home>,
    /// Tenants on their way to another group, and those whose last move failed.
    #[serde(default)]
    pub moves: OrdMap<String, Move>,
    /// Who has a name.
    pub claims: OrdMap<Name, String>,
    /// Senders of numbered events, and the incarnation each is in.
    pub senders: OrdMap<String, u64>,
    /// Who carries whose addresses, by the member's name.
    #[serde(default)]
    pub leases: OrdMap<String, Lease>,
    /// The oldest protocol that a node may speak. Rises once all members speak a newer one.
    #[serde(default)]
    pub minimum: u32,
    pub(crate) last_id: NodeId,
}

/// What is decided once, when a cluster is founded.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founding {
    pub incarnation: u64,
    pub shard_groups: u32,
    /// Signs digest nonces, so that any edge can check them.
    pub nonce_key: [u8; 32],
    /// Signs API tokens.
    pub token_key: [u8; 32],
}

impl fmt::Debug for Founding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { incarnation, shard_groups, .. } = self;
        f.debug_struct("Founding")
            .field("incarnation", incarnation)
            .field("shard_groups", shard_groups)
            .finish_non_exhaustive()
    }
}

/// One node of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// 0 until the directory has given one.
    pub id: NodeId,
    pub name: String,
    pub roles: BTreeSet<String>,
    pub zone: String,
    /// host:port of its gRPC.
    pub address: String,
    /// Its other addresses, by kind.
    pub addresses: BTreeMap<String, String>,
    pub version: String,
    /// What its build speaks: see `Options::protocol`.
    #[serde(default)]
    pub protocol: u32,
    /// How often it was started.
    #[serde(default)]
    pub boot: u64,
    /// When it last said that it is alive: wall clock, milliseconds since 1970, a label only.
    pub heartbeat_ms: u64,
    /// It answers group 0's leader. A new member does not until it has been asked.
    #[serde(default = "yes")]
    pub alive: bool,
    /// It is about to leave.
    pub draining: bool,
    /// Its process is about to end, to be started again: others do its work meanwhile, its replicas are kept for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopping: bool,
    /// It is dead and given up: it leaves as soon as no group counts on it.
    #[serde(default)]
    pub replaced: bool,
    /// Where the history goes that it writes, if it writes any. Kept once all members speak [`DATABASES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,
}

/// Members of a directory that was written before liveness was known.
fn yes() -> bool {
    true
}

impl Member {
    /// The role that holds replicas and votes.
    pub const CONTROL: &'static str = "control";

    /// Whether it takes work: it answers and is not about to go.
    pub fn is_staying(&self) -> bool {
        self.alive && !self.draining && !self.stopping && !self.replaced
    }

    /// Whether it may hold replicas.
    pub fn is_control(&self) -> bool {
        self.roles.contains(Self::CONTROL)
    }

    /// Whether something is left behind when it goes: replicas, or addresses that far ends know. A console has neither.
    pub fn has_work(&self) -> bool {
        self.is_control() || leases::CARRIED.iter().any(|role| self.roles.contains(*role))
    }
}

/// Where a tenant lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    pub group: GroupId,
    /// Grows when the tenant moves, and when one of its name is made again: what the earlier one sent is late then.
    pub epoch: u64,
}

/// A name that one tenant at most may have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// `number`, `domain`, `email`.
    pub kind: String,
    pub name: String,
}

impl Name {
    /// A name of a kind, as it is: callers normalise.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into() }
    }
}

impl Directory {
    /// Applies one command at log position `index`, committed in `term`. A refusal changes nothing but the version.
    pub fn apply(&mut self, index: u64, term: u64, command: Command) -> Result<Reply, Refusal> {
        self.version = index;
        match command {
            Command::Found { founding, member } => self.found(founding, member),
            Command::JoinMember { member } => self.join(member),
            Command::HeartbeatMember { id, at_ms } => self.heartbeat(id, at_ms),
            Command::DrainMember { id, draining } => self.drain(id, draining),
            Command::StopMember { id } => self.change_member(id, |member| member.stopping = true),
            Command::YieldLeases { id } => self.hand_on(id),
            Command::ReadyLease { name, host } => self.ready_lease(&name, host),
            Command::LeaveMember { id } => self.leave(id),
            Command::ReplaceMember { id } => self.replace(id),
            Command::MemberLost { id, term: seen } => self.hear(id, false, seen, term),
            Command::MemberBack { id, term: seen } => self.hear(id, true, seen, term),
            Command::MembersJudged { lost, back, term: seen } => self.hear_all(&lost, &back, seen, term),
            Command::TakeLease { id } => self.take_lease(id),
            Command::ReturnLease { name, from } => self.return_lease(&name, from),
            Command::RefuseLease { name, from } => self.refuse_lease(&name, from),
            Command::OpenGroups { groups } => self.open(groups),
            Command::SetPlan { plan } => self.set_plan(plan),
            Command::PlaceTenant { tenant } => self.place(tenant),
            Command::RemoveTenant { tenant } => self.remove(&tenant),
            Command::MoveTenant { tenant, to } => self.begin_move(tenant, to),
            Command::FlipTenant { tenant, epoch } => self.flip(tenant, epoch),
            Command::GiveUpMove { tenant, epoch, why } => self.give_up(tenant, epoch, why),
            Command::EndMove { tenant, epoch } => self.end_move(&tenant, epoch),
            Command::Claim { tenant, names } => self.claim(tenant, names),
            Command::Release { tenant, names } => self.release(&tenant, &names),
            Command::StartSender { sender, incarnation } => self.start_sender(sender, incarnation),
            Command::RetireSender { sender } => self.retire_sender(&sender),
        }
    }

    /// Where a tenant lives.
    pub fn home(&self, tenant: &str) -> Option<Home> {
        self.tenants.get(tenant).copied()
    }

    /// Whose name this is.
    pub fn tenant_of(&self, kind: &str, name: &str) -> Option<&str> {
        self.claims.get(&Name::new(kind, name)).map(String::as_str)
    }

    /// All names of a tenant, in order.
    pub fn names_of(&self, tenant: &str) -> Vec<Name> {
        self.claims.iter().filter(|(_, holder)| *holder == tenant).map(|(name, _)| name.clone()).collect()
    }

    /// The node that should lead a group; who really does, the group's handle says.
    pub fn leader_wanted(&self, group: GroupId) -> Option<NodeId> {
        self.plan.groups.get(&group).map(|place| place.leader)
    }

    /// Groups of which a node should hold a replica.
    pub fn groups_of(&self, node: NodeId) -> impl Iterator<Item = (GroupId, &Place)> {
        let held = move |(_, place): &(&GroupId, &Place)| place.replicas.contains(&node);
        self.plan.groups.iter().filter(held).map(|(group, place)| (*group, place))
    }

    /// Members that may hold replicas, but for `node`.
    fn other_controls(&self, node: NodeId) -> impl Iterator<Item = &Member> {
        self.members.values().filter(move |other| other.id != node && other.is_control())
    }

    /// A member by its id.
    pub fn member(&self, id: NodeId) -> Option<&Member> {
        self.members.get(&id)
    }

    /// A member by its name.
    pub fn member_named(&self, name: &str) -> Option<&Member> {
        self.members.values().find(|member| member.name == name)
    }
}

#[cfg(test)]
mod tests;
