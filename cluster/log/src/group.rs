//! One group's log as openraft sees it. Changes are made in memory at once and queued for the disk; openraft is told
//! through its callbacks when they are safe.

use std::io;
use std::sync::Arc;

use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};

use crate::change::Change;
use crate::reader::GroupReader;
use crate::record;
use crate::shared::Shared;
use crate::types::{Entry, LogId, TypeConfig, Vote};
use crate::writer::{Done, Queue, Request};

/// The log of one group. Clones share it.
#[derive(Debug, Clone)]
pub struct GroupLog {
    shared: Arc<Shared>,
    queue: Queue,
    reader: GroupReader,
}

impl GroupLog {
    pub(crate) fn new(shared: Arc<Shared>, queue: Queue, reader: GroupReader) -> Self {
        Self { shared, queue, reader }
    }

    fn put(&self, key: &'static [u8], value: Vec<u8>) -> Change {
        Change::Record { group: self.shared.group, key, value }
    }

    fn remove(&self, range: std::ops::Range<u64>) -> Change {
        Change::Removed { group: self.shared.group, range }
    }

    /// Takes the entries into memory and returns what to write. Entries must follow the last one without a gap.
    fn take_in(&self, entries: impl IntoIterator<Item = Entry>) -> io::Result<Vec<Change>> {
        let mut positions = self.shared.lock();
        let mut changes = Vec::new();
        for entry in entries {
            let index = entry.log_id.index;
            changes.push(Change::Entry { group: self.shared.group, entry: entry.clone() });
            positions.push(entry).map_err(|next| {
                record::invalid(format!("entry {index} would leave a gap: {next} comes next"))
            })?;
        }
        let on_disk = positions.on_disk;
        positions.tail.shrink(on_disk);
        Ok(changes)
    }
}

impl RaftLogStorage<TypeConfig> for GroupLog {
    type LogReader = GroupReader;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let positions = self.shared.lock();
        Ok(LogState {
            last_purged_log_id: positions.purged,
            last_log_id: positions.last.or(positions.purged),
        })
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        self.reader.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        self.queue.write(vec![self.put(record::VOTE, record::encode(vote)?)]).await?;
        self.shared.lock().vote = Some(*vote);
        Ok(())
    }

    /// Costs no sync of its own: it travels with the next append. A crash may lose the newest position, never more.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        self.shared.lock().committed = committed;
        let changes = vec![self.put(record::COMMITTED, record::encode(&committed)?)];
        self.queue.send(Request { changes, done: Done::Nobody });
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.shared.lock().committed)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let changes = self.take_in(entries)?;
        match self.shared.lock().last {
            Some(last) => {
                let done = Done::Flushed { shared: self.shared.clone(), upto: last.index, callback };
                self.queue.send(Request { changes, done });
            }
            None => callback.io_completed(Ok(())),
        }
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let removed = {
            let mut positions = self.shared.lock();
            let end = positions.end();
            positions.tail.truncate_after(last.map(|id| id.index));
            positions.last = positions.last.min(last.max(positions.purged));
            self.remove(positions.end()..end)
        };
        self.queue.write(vec![removed]).await?;
        // All earlier appends have reported by now, so none can raise it again.
        let mut positions = self.shared.lock();
        positions.on_disk = positions.on_disk.min(last.map(|id| id.index));
        Ok(())
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        let removed = {
            let mut positions = self.shared.lock();
            let present = positions.first..positions.end().min(upto.index + 1);
            positions.tail.purge(upto.index);
            positions.first = positions.first.max(upto.index + 1);
            positions.purged = positions.purged.max(Some(upto));
            positions.last = positions.last.max(Some(upto));
            self.remove(present)
        };
        self.queue.write(vec![removed, self.put(record::PURGED, record::encode(&upto)?)]).await
    }
}

impl RaftLogReader<TypeConfig> for GroupLog {
    async fn try_get_log_entries<R>(&mut self, range: R) -> Result<Vec<Entry>, io::Error>
    where
        R: std::ops::RangeBounds<u64> + Clone + std::fmt::Debug + OptionalSend,
    {
        self.reader.try_get_log_entries(range).await
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        self.reader.read_vote().await
    }
}
