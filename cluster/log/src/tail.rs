//! The newest entries of one log in memory: what is not on disk yet, and what the state machine is about to read.

use std::collections::VecDeque;
use std::ops::Range;

use openraft::EntryPayload;

use crate::types::Entry;

const KEEP_ENTRIES: usize = 2048;
const KEEP_BYTES: usize = 2 << 20;

/// A gapless run of entries that ends at the log's end.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Tail {
    /// Index of the oldest entry held.
    pub(crate) fn first(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.log_id.index)
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.bytes += size(&entry);
        self.entries.push_back(entry);
    }

    /// Lets go of the oldest entries beyond the bounds, but of none that the disk may not have.
    pub(crate) fn shrink(&mut self, on_disk: Option<u64>) {
        while self.entries.len() > KEEP_ENTRIES || self.bytes > KEEP_BYTES {
            match self.first() {
                Some(first) if Some(first) <= on_disk => self.pop_front(),
                _ => return,
            }
        }
    }

    /// Drops all entries after `index`; `None` drops all.
    pub(crate) fn truncate_after(&mut self, index: Option<u64>) {
        while self.entries.back().is_some_and(|last| Some(last.log_id.index) > index) {
            if let Some(last) = self.entries.pop_back() {
                self.bytes -= size(&last);
            }
        }
    }

    /// Drops all entries up to `index`, which included.
    pub(crate) fn purge(&mut self, index: u64) {
        while self.first().is_some_and(|first| first <= index) {
            self.pop_front();
        }
    }

    /// Those entries of `range` that are held.
    pub(crate) fn read(&self, range: Range<u64>) -> impl Iterator<Item = &Entry> {
        let first = self.first().unwrap_or(range.end);
        let skip = range.start.saturating_sub(first) as usize;
        self.entries.iter().skip(skip).take_while(move |entry| entry.log_id.index < range.end)
    }

    fn pop_front(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.bytes -= size(&oldest);
        }
    }
}

fn size(entry: &Entry) -> usize {
    match &entry.payload {
        EntryPayload::Normal(payload) => payload.0.len() + 64,
        _ => 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::LogId;

    fn tail(indexes: Range<u64>) -> Tail {
        let mut tail = Tail::default();
        for index in indexes {
            tail.push(Entry { log_id: LogId::new_term_index(1, index), payload: EntryPayload::Blank });
        }
        tail
    }

    fn read(tail: &Tail, range: Range<u64>) -> Vec<u64> {
        tail.read(range).map(|entry| entry.log_id.index).collect()
    }

    #[test]
    fn what_the_disk_lacks_is_never_dropped() {
        let mut tail = tail(0..5000);
        tail.shrink(Some(9));
        assert_eq!(tail.first(), Some(10));
        tail.shrink(Some(4999));
        assert_eq!(tail.first(), Some(5000 - KEEP_ENTRIES as u64));
    }

    #[test]
    fn reads_are_cut_to_what_is_held() {
        let mut tail = tail(10..20);
        assert_eq!(read(&tail, 5..12), [10, 11]);
        assert_eq!(read(&tail, 18..25), [18, 19]);
        assert_eq!(read(&tail, 0..5), [0; 0]);
        tail.truncate_after(Some(11));
        tail.purge(10);
        assert_eq!(read(&tail, 0..100), [11]);
        tail.truncate_after(None);
        assert_eq!(tail.bytes, 0);
    }
}
