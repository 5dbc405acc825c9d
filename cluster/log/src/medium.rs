//! A disk that is not a folder: what the simulation puts in the place of files, so that the log above it runs as it is.

use std::fmt::Debug;
use std::io;
use std::ops::Range;

use futures::future::BoxFuture;

use crate::snapshots::StoredSnapshot;
use crate::types::{GroupId, SnapshotMeta};

/// One change of one group's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    Put { group: GroupId, key: Vec<u8>, value: Vec<u8> },
    Remove { group: GroupId, key: Vec<u8> },
}

/// Keeps records by group and key, and a snapshot a group.
///
/// It is driven inside the runtime of the node that owns it: nothing may block, and `commit` may take its time.
pub trait Medium: Debug + Send + Sync {
    /// Writes all of `ops` or none, in their order. On `Ok` they survive a power cut. The next one comes only when this
    /// one is through.
    fn commit(&self, ops: Vec<Op>) -> BoxFuture<'_, io::Result<()>>;

    /// One record.
    fn get(&self, group: GroupId, key: &[u8]) -> io::Result<Option<Vec<u8>>>;

    /// The records of these keys, in their order.
    fn range(&self, group: GroupId, keys: Range<&[u8]>) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>>;

    /// Keeps a snapshot in place of older ones. On `Ok` it survives a power cut.
    fn save(&self, group: GroupId, meta: &SnapshotMeta, state: &[u8]) -> io::Result<()>;

    /// The newest snapshot.
    fn load(&self, group: GroupId) -> io::Result<Option<StoredSnapshot>>;
}
