//! Backups of a running cluster, and data folders made of them: the directory with its keys, and every shard group's state.
//! What is in SQL (records, stories) and in the object store (recordings) is not in them.

mod archive;
mod gather;
mod restore;
mod snapshot;

pub(crate) use gather::backup;
pub(crate) use snapshot::{of_leader, serve};

#[cfg(test)]
pub(crate) use archive::{parse, tests::written};

pub use archive::{Archive, Error as ArchiveError, Header, read};
pub use restore::{Error as RestoreError, Restored, restore};
