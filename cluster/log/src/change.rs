//! What a group's log wants changed: the one form in which it reaches the writer, whatever is below.

use std::io;
use std::ops::Range;

use openraft::EntryPayload;

use crate::medium::Op;
use crate::record;
use crate::types::{Entry, GroupId};

/// One change of one group. A clone of an entry shares its payload, so that it is encoded once, by who writes it.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Entry {
        group: GroupId,
        entry: Entry,
    },
    /// One of the small records, in place of the one before.
    Record {
        group: GroupId,
        key: &'static [u8],
        value: Vec<u8>,
    },
    /// Entries from the log's beginning on, or up to its end.
    Removed {
        group: GroupId,
        range: Range<u64>,
    },
}

impl Change {
    /// About what it takes on a disk.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Entry { entry, .. } => match &entry.payload {
                EntryPayload::Normal(payload) => payload.0.len() + 32,
                _ => 256,
            },
            Self::Record { key, value, .. } => key.len() + value.len(),
            Self::Removed { .. } => 32,
        }
    }

    /// The same by keys and values, as a medium takes it.
    pub(crate) fn into_ops(self, ops: &mut Vec<Op>) -> io::Result<()> {
        match self {
            Self::Entry { group, entry } => {
                let key = record::entry_key(entry.log_id.index).to_vec();
                ops.push(Op::Put { group, key, value: record::encode_entry(&entry)? });
            }
            Self::Record { group, key, value } => ops.push(Op::Put { group, key: key.to_vec(), value }),
            Self::Removed { group, range } => {
                let remove = |index| Op::Remove { group, key: record::entry_key(index).to_vec() };
                ops.extend(range.map(remove));
            }
        }
        Ok(())
    }
}
