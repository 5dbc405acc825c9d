//! The writer's view of a disk: atomic, durable batches. A trait, so that tests can put a failing disk in its place.

use std::io;

use crate::change::Change;

pub(crate) trait Disk: Send {
    /// Writes all of `changes` or none, in their order. On `Ok` they survive a power cut.
    fn commit(&mut self, changes: Vec<Change>) -> io::Result<()>;
}
