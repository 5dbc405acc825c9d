//! Reading one group's records, wherever they are kept.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use fjall::{Keyspace, Slice};
use serde::de::DeserializeOwned;

use crate::disk;
use crate::medium::Medium;
use crate::record;
use crate::types::GroupId;

type Records<'t> = Box<dyn DoubleEndedIterator<Item = io::Result<(Slice, Slice)>> + 't>;

/// One group's records. Clones share it.
#[derive(Clone)]
pub(crate) enum Table {
    Keyspace(Keyspace),
    Medium(Arc<dyn Medium>, GroupId),
}

impl Table {
    /// One of the small records.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &[u8]) -> io::Result<Option<T>> {
        match self {
            Self::Keyspace(keyspace) => {
                keyspace.get(key).map_err(disk::into_io)?.map(|record| record::decode(&record)).transpose()
            }
            Self::Medium(medium, group) => {
                medium.get(*group, key)?.map(|record| record::decode(&record)).transpose()
            }
        }
    }

    /// The entries with these indexes, by key and in order; `end` is left out.
    pub(crate) fn entries(&self, range: Range<u64>) -> Records<'_> {
        let keys = record::entry_key(range.start)..record::entry_key(range.end);
        match self {
            Self::Keyspace(keyspace) => {
                Box::new(keyspace.range(keys).map(|item| item.into_inner().map_err(disk::into_io)))
            }
            Self::Medium(medium, group) => match medium.range(*group, &keys.start[..]..&keys.end[..]) {
                Ok(records) => {
                    Box::new(records.into_iter().map(|(key, value)| Ok((key.into(), value.into()))))
                }
                Err(error) => Box::new(std::iter::once(Err(error))),
            },
        }
    }
}
