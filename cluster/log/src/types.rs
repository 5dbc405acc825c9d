//! The one openraft type configuration of the cluster, and short names for what it makes of openraft's types.
//!
//! Commands and replies are opaque bytes: what they mean is the state machine's business.

use std::fmt;

use bytes::Bytes;
use openraft::impls::leader_id_std;
use serde::{Deserialize, Serialize};

/// A Raft group: 0 is the directory, 1..=N are the shard groups.
pub type GroupId = u32;

/// A member of the cluster; never used again after it has left.
pub type NodeId = u64;

/// Where a node's gRPC listener is.
pub type Peer = openraft::BasicNode;

/// What a proposer wants applied. Cloning shares the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload(pub Bytes);

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// What the state machine answers to the proposer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply(pub Vec<u8>);

openraft::declare_raft_types!(
    /// Standard Raft: at most one leader a term, so that a term names its leader and a fence needs no node.
    pub TypeConfig:
        D = Payload,
        R = Reply,
        NodeId = NodeId,
        Node = Peer,
        Term = u64,
        LeaderId = leader_id_std::LeaderId<u64, NodeId>,
);

/// Position in a log: term and index.
pub type LogId = openraft::type_config::alias::LogIdOf<TypeConfig>;
/// One record of a log.
pub type Entry = openraft::type_config::alias::EntryOf<TypeConfig>;
/// The vote a node has given, and whether a quorum gave the same.
pub type Vote = openraft::type_config::alias::VoteOf<TypeConfig>;
/// Voters and learners of a group.
pub type Membership = openraft::Membership<NodeId, Peer>;
/// A membership and the log position it was decided at.
pub type StoredMembership = openraft::type_config::alias::StoredMembershipOf<TypeConfig>;
/// What a snapshot covers.
pub type SnapshotMeta = openraft::type_config::alias::SnapshotMetaOf<TypeConfig>;
