//! Many Raft groups on one node: start and stop them, propose to them, know when this node leads.
//!
//! openraft does the consensus and stays behind this crate: others see `GroupHost`, `Handle` and `StateMachine`.
//! How messages reach other nodes is `mangrove-transport`'s business, which groups run where `mangrove-membership`'s.

pub mod alone;
mod applier;
mod error;
mod failure;
mod handle;
mod host;
mod leadership;
mod machine;
mod reshape;
mod seed;
mod status;
mod tuning;
mod underway;

pub use applier::Applier;
pub use error::Error;
pub use handle::Handle;
pub use host::GroupHost;
pub use leadership::{Fence, Leadership};
pub use machine::{SnapshotError, SnapshotWriter, StateMachine};
pub use mangrove_log::{Error as StoreError, GroupId, NodeId, Owner, Peer, Store, TypeConfig};
pub use seed::{SeedError, seed};
pub use status::Status;
pub use tuning::Tuning;
pub use underway::Underway;

/// One running openraft group, for the transport.
pub type Raft = openraft::Raft<TypeConfig, Applier>;

/// What a store on something else than a folder is made of.
pub mod disk {
    pub use mangrove_log::{Medium, Op, SnapshotMeta, StoredSnapshot};
}

/// The stored types, for the transport.
pub mod types {
    pub use mangrove_log::{Entry, LogId, Membership, Payload, SnapshotMeta, StoredMembership, Vote};
}
