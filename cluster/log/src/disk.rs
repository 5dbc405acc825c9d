//! The writer's view of a disk: atomic, durable batches. A trait, so that tests can put a failing disk in its place.

mod fjall_disk;
mod journal;

use std::io;

pub(crate) use fjall_disk::{FjallDisk, into_io};

use crate::types::GroupId;

/// One change of one group's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    Put { group: GroupId, key: Vec<u8>, value: Vec<u8> },
    Remove { group: GroupId, key: Vec<u8> },
}

pub(crate) trait Disk: Send {
    /// Writes all of `ops` or none, in their order. On `Ok` they survive a power cut.
    fn commit(&mut self, ops: Vec<Op>) -> io::Result<()>;
}
