//! The first state of a group that does not begin empty: a snapshot that its only voter finds when it starts.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use mangrove_log::{LogId, Membership, SnapshotMeta, StoredMembership};

use crate::{GroupId, NodeId, Peer, Store, StoreError};

/// Why a group can't be given its first state.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the first snapshot of group {group} can't be written: {source}")]
    Snapshot { group: GroupId, source: io::Error },
}

/// Puts `state`, as of log position `index`, into a store in which the group has nothing yet. The group's log goes on
/// after that position, in its first term; `voter` alone votes in it.
pub fn seed(store: &Store, group: GroupId, voter: NodeId, index: u64, state: &[u8]) -> Result<(), SeedError> {
    let failed = |source: io::Error| SeedError::Snapshot { group, source };
    let position = Some(LogId::new_term_index(0, index));
    let voters = vec![BTreeSet::from([voter])];
    let membership = Membership::new(voters, BTreeMap::from([(voter, Peer::default())]));
    let membership = membership.map_err(|error| failed(io::Error::other(error.to_string())))?;
    let last_membership = StoredMembership::new(position, membership);
    let meta = SnapshotMeta { last_log_id: position, last_membership };
    store.snapshots(group)?.save(&meta, state).map_err(failed)
}
