//! Reading one group's records, wherever they are kept.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::medium::Medium;
use crate::record;
use crate::segments::Segments;
use crate::types::{Entry, GroupId, LogId};

/// One group's records. Clones share it.
#[derive(Clone)]
pub(crate) enum Table {
    Segments(Arc<Segments>, GroupId),
    Medium(Arc<dyn Medium>, GroupId),
}

impl Table {
    /// One of the small records.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &[u8]) -> io::Result<Option<T>> {
        let found = match self {
            Self::Segments(segments, group) => segments.record(*group, key),
            Self::Medium(medium, group) => medium.get(*group, key)?,
        };
        found.map(|record| record::decode(&record)).transpose()
    }

    /// The entries of `range` from its beginning on, all or those until their records are more than `limit` bytes. One that
    /// is missing is an error.
    pub(crate) fn read(&self, range: Range<u64>, limit: usize) -> io::Result<Vec<Entry>> {
        match self {
            Self::Segments(segments, group) => segments.read(*group, range, limit),
            Self::Medium(medium, group) => read_medium(&**medium, *group, range, limit),
        }
    }

    /// Index of the first entry and position of the last one.
    pub(crate) fn extent(&self) -> io::Result<Option<(u64, LogId)>> {
        match self {
            Self::Segments(segments, group) => segments.extent(*group),
            Self::Medium(medium, group) => {
                let entries = records(&**medium, *group, 0..u64::MAX)?;
                let Some(((first, _), (last, record))) = entries.first().zip(entries.last()) else {
                    return Ok(None);
                };
                let last = record::decode_entry(record::index_of(last)?, record)?;
                Ok(Some((record::index_of(first)?, last.log_id)))
            }
        }
    }
}

fn records(medium: &dyn Medium, group: GroupId, range: Range<u64>) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let (start, end) = (record::entry_key(range.start), record::entry_key(range.end));
    medium.range(group, &start[..]..&end[..])
}

fn read_medium(
    medium: &dyn Medium,
    group: GroupId,
    range: Range<u64>,
    limit: usize,
) -> io::Result<Vec<Entry>> {
    let mut found = records(medium, group, range.clone())?.into_iter();
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for index in range {
        let (key, record) = found.next().ok_or_else(|| record::hole(group, index))?;
        if record::index_of(&key)? != index {
            return Err(record::hole(group, index));
        }
        entries.push(record::decode_entry(index, &record)?);
        bytes += record.len();
        if bytes > limit {
            break;
        }
    }
    Ok(entries)
}
