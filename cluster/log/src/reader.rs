//! Reading one group's log: the newest entries from memory, older ones from disk.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, Range, RangeBounds};
use std::sync::Arc;

use openraft::{OptionalSend, RaftLogReader};

use crate::shared::{Positions, Shared};
use crate::table::Table;
use crate::types::{Entry, TypeConfig, Vote};

// How much one replication message may carry, so that a follower far behind is not sent its whole log at once.
const LIMIT_BYTES: usize = 1 << 20;

/// Reads the log of one group. Clones share it.
#[derive(Clone)]
pub struct GroupReader {
    shared: Arc<Shared>,
    table: Table,
}

impl Debug for GroupReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupReader").field("group", &self.shared.group).finish_non_exhaustive()
    }
}

impl GroupReader {
    pub(crate) fn new(shared: Arc<Shared>, table: Table) -> Self {
        Self { shared, table }
    }

    /// All entries of `range` that the log holds. The lock is kept meanwhile: no change is seen in part.
    fn read(&self, range: Range<u64>, limit: usize) -> io::Result<Vec<Entry>> {
        let positions = self.shared.lock();
        let range = range.start.max(positions.first)..range.end.min(positions.end());
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let split = positions.tail.first().unwrap_or(range.end).clamp(range.start, range.end);
        let mut entries = self.table.read(range.start..split, limit)?;
        if entries.len() as u64 == split - range.start {
            entries.extend(read_memory(&positions, split..range.end, limit));
        }
        Ok(entries)
    }
}

fn read_memory(positions: &Positions, range: Range<u64>, limit: usize) -> Vec<Entry> {
    let mut bytes = 0;
    let fits = |entry: &&Entry| {
        let before = bytes;
        bytes += record_size(entry);
        before <= limit
    };
    positions.tail.read(range).take_while(fits).cloned().collect()
}

fn record_size(entry: &Entry) -> usize {
    match &entry.payload {
        openraft::EntryPayload::Normal(payload) => payload.0.len(),
        _ => 0,
    }
}

fn to_range(bounds: impl RangeBounds<u64>) -> Range<u64> {
    let start = match bounds.start_bound() {
        Bound::Included(index) => *index,
        Bound::Excluded(index) => index.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match bounds.end_bound() {
        Bound::Included(index) => index.saturating_add(1),
        Bound::Excluded(index) => *index,
        Bound::Unbounded => u64::MAX,
    };
    start..end
}

impl RaftLogReader<TypeConfig> for GroupReader {
    async fn try_get_log_entries<R>(&mut self, range: R) -> Result<Vec<Entry>, io::Error>
    where
        R: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        self.read(to_range(range), usize::MAX)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, io::Error> {
        self.read(start..end, LIMIT_BYTES)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.shared.lock().vote)
    }
}
