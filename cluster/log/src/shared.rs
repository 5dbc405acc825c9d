//! What the log, its readers and the writer know about one group, in memory.

use std::sync::{Mutex, MutexGuard};

use crate::tail::Tail;
use crate::types::{Entry, GroupId, LogId, Vote};

/// One group's positions and newest entries.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) group: GroupId,
    positions: Mutex<Positions>,
}

/// Always as the log will be once all that is queued is written; only `on_disk` speaks of the disk.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    pub(crate) tail: Tail,
    /// Index of the oldest entry, if there is one.
    pub(crate) first: u64,
    pub(crate) last: Option<LogId>,
    pub(crate) purged: Option<LogId>,
    pub(crate) vote: Option<Vote>,
    pub(crate) committed: Option<LogId>,
    pub(crate) on_disk: Option<u64>,
}

impl Shared {
    pub(crate) fn new(group: GroupId, positions: Positions) -> Self {
        Self { group, positions: Mutex::new(positions) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Positions> {
        self.positions.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Positions {
    /// First index that is not present.
    pub(crate) fn end(&self) -> u64 {
        self.last.map_or(0, |id| id.index + 1)
    }

    /// Takes an entry that follows the last one. An empty log may begin anywhere; the index wanted is the error.
    pub(crate) fn push(&mut self, entry: Entry) -> Result<(), u64> {
        let index = entry.log_id.index;
        match self.last {
            None => self.first = index,
            Some(last) if last.index + 1 == index => {}
            Some(last) => return Err(last.index + 1),
        }
        self.last = Some(entry.log_id);
        self.tail.push(entry);
        Ok(())
    }
}
