//! Raft logs, votes and snapshots on disk, for many groups of one node.
//!
//! One log of segments holds all groups. Every write of every group goes through one writer thread, which takes all that
//! waits, writes it as one frame and syncs once: the cost of an fdatasync is shared by whatever came in during the one
//! before it. Nothing is acknowledged before that sync, and after a failed one nothing ever again.
//!
//! It knows nothing of elections, networks or what entries mean; `mangrove-raft` runs groups on top of it.
//!
//! ```text
//!   append (group 1) ─┐
//!   append (group 2) ─┼─> queue ─> writer: one frame, one sync ─> flush callbacks
//!   vote   (group 2) ─┘
//! ```

mod change;
mod disk;
mod error;
mod failed;
#[cfg(test)]
mod formats;
mod former;
mod group;
mod medium;
mod reader;
mod record;
mod segments;
mod shared;
mod snapshots;
mod store;
mod table;
mod tail;
mod types;
mod writer;

pub use error::Error;
pub use group::GroupLog;
pub use medium::{Medium, Op};
pub use reader::GroupReader;
pub use snapshots::{Snapshots, StoredSnapshot};
pub use store::{Owner, Store};
pub use types::{
    Entry, GroupId, LogId, Membership, NodeId, Payload, Peer, Reply, SnapshotMeta, StoredMembership,
    TypeConfig, Vote,
};
