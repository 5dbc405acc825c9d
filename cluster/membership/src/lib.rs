//! Who is in the cluster and what lives where: a node's identity, the directory (Raft group 0), and the shard groups
//! started as the directory's plan says.
//!
//! Only nodes with the role `control` run groups. Every node that does not lead group 0 follows the directory over a
//! stream from the one that does, and changes it through that one.
//!
//! `Directory` is pure; `Cluster` runs it and keeps this node as the plan wants it: starts and stops groups, changes
//! their voters, hands leads over. It knows tenants and names as words only; what shard groups hold is their
//! factory's business.

mod cluster;
pub mod directory;
mod error;
#[cfg(test)]
mod formats;
mod identity;
mod machine;
mod options;
mod peers;
mod refound;
mod service;

pub use cluster::{Cluster, GroupTold, NodeStatus, OwnReport, Reporter, Told};
pub use directory::{
    Command, Database, Directory, Founding, HANDOVER, Home, LEAVING, Lease, Member, Move, NETWORK, Name,
    RULES, Refusal, Reply, Stage,
};
pub use error::Error;
pub use mangrove_placement::{Place, Plan};
pub use mangrove_raft::{
    Fence, GroupId, Handle, Leadership, NodeId, SnapshotError, SnapshotWriter, StateMachine, Status, Tuning,
    Underway,
};
pub use options::{Options, PROTOCOL, Pulse};
pub use refound::{Seed, refound};

/// The directory's group.
pub const DIRECTORY: GroupId = 0;
