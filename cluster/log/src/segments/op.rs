//! The operations in a frame, one behind the other, numbers with the greatest byte first:
//!
//! * `1, group (4 bytes), index (8), length of the record (4), checksum of these three and the record (4), record`: an
//!   entry, in place of an earlier one of this index. Its own checksum holds when it is read alone.
//! * `2, group (4), length of the key (1), length of the value (4), key, value`: a small record.
//! * `3, group (4), first index (8), index behind the last (8)`: entries are gone.
//! * `4`, the same: these entries live, in earlier segments. Says at a start whether one of those is missing.
//! * `0`: nothing follows but zeros.

use std::io;
use std::ops::Range;

use crate::change::Change;
use crate::record::{self, invalid};
use crate::types::GroupId;

const ENTRY: u8 = 1;
const RECORD: u8 = 2;
const REMOVED: u8 = 3;
const HELD: u8 = 4;
/// Of an entry, before its record.
const HEAD: usize = 21;
const SUMMED: Range<usize> = 1..17;

/// One operation as found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'b> {
    /// `place` is the whole operation, from where reading began.
    Entry {
        group: GroupId,
        index: u64,
        place: Range<usize>,
    },
    Record {
        group: GroupId,
        key: &'b [u8],
        value: &'b [u8],
    },
    Removed {
        group: GroupId,
        range: Range<u64>,
    },
    Held {
        group: GroupId,
        range: Range<u64>,
    },
}

/// Puts a change behind what is there.
pub(super) fn write(change: &Change, into: &mut Vec<u8>) -> io::Result<()> {
    match change {
        Change::Entry { group, entry } => {
            write_entry(*group, entry.log_id.index, into, |into| record::write_entry(entry, into))
        }
        Change::Record { group, key, value } => write_record(*group, key, value, into),
        Change::Removed { group, range } => {
            write_range(REMOVED, *group, range, into);
            Ok(())
        }
    }
}

/// Says that entries live.
pub(super) fn write_held(group: GroupId, range: &Range<u64>, into: &mut Vec<u8>) {
    write_range(HELD, group, range, into);
}

fn write_range(kind: u8, group: GroupId, range: &Range<u64>, into: &mut Vec<u8>) {
    into.push(kind);
    into.extend(group.to_be_bytes());
    into.extend(range.start.to_be_bytes());
    into.extend(range.end.to_be_bytes());
}

/// Puts an entry there, whose record `write` makes.
pub(super) fn write_entry(
    group: GroupId,
    index: u64,
    into: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let start = into.len();
    into.push(ENTRY);
    into.extend(group.to_be_bytes());
    into.extend(index.to_be_bytes());
    into.extend([0; 8]);
    write(into)?;
    let operation = &mut into[start..];
    let length = u32::try_from(operation.len() - HEAD).map_err(|_| invalid("an entry of more than 4 GiB"))?;
    operation[13..17].copy_from_slice(&length.to_be_bytes());
    let checksum = checksum(operation);
    operation[17..HEAD].copy_from_slice(&checksum.to_be_bytes());
    Ok(())
}

pub(super) fn write_record(group: GroupId, key: &[u8], value: &[u8], into: &mut Vec<u8>) -> io::Result<()> {
    let too_long = |_| invalid("a small record that is not small");
    let (of_key, of_value) = (u8::try_from(key.len()), u32::try_from(value.len()));
    into.push(RECORD);
    into.extend(group.to_be_bytes());
    into.push(of_key.map_err(too_long)?);
    into.extend(of_value.map_err(too_long)?.to_be_bytes());
    into.extend_from_slice(key);
    into.extend_from_slice(value);
    Ok(())
}

/// The record in the bytes of one entry's operation, if they are those that were written for it.
pub(super) fn entry_record(operation: &[u8], group: GroupId, index: u64) -> Option<&[u8]> {
    let (head, record) = operation.split_at_checked(HEAD)?;
    let is_it = head[1..5] == group.to_be_bytes() && head[5..13] == index.to_be_bytes();
    (is_it && head[17..] == checksum(operation).to_be_bytes()).then_some(record)
}

fn checksum(operation: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&operation[SUMMED]);
    checksum.update(&operation[HEAD..]);
    checksum.finalize()
}

/// Reads a frame's operations in their order. `Err` is the place that makes no sense.
pub(super) struct Operations<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Operations<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn read(&mut self) -> Option<Found<'b>> {
        let start = self.at;
        match self.cut(1)?[0] {
            ENTRY => {
                let (group, index) = (self.number(4)? as GroupId, self.number(8)?);
                let record = self.number(4)? as usize;
                self.cut(4 + record)?;
                Some(Found::Entry { group, index, place: start..self.at })
            }
            RECORD => {
                let group = self.number(4)? as GroupId;
                let (key, value) = (self.number(1)? as usize, self.number(4)? as usize);
                Some(Found::Record { group, key: self.cut(key)?, value: self.cut(value)? })
            }
            kind @ (REMOVED | HELD) => {
                let group = self.number(4)? as GroupId;
                let range = self.number(8)?..self.number(8)?;
                Some(if kind == HELD {
                    Found::Held { group, range }
                } else {
                    Found::Removed { group, range }
                })
            }
            _ => None,
        }
    }

    fn cut(&mut self, count: usize) -> Option<&'b [u8]> {
        let cut = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(cut)
    }

    fn number(&mut self, bytes: usize) -> Option<u64> {
        Some(self.cut(bytes)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }
}

impl<'b> Iterator for Operations<'b> {
    type Item = Result<Found<'b>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        if self.bytes.get(start).is_none_or(|kind| *kind == 0) {
            return None;
        }
        Some(self.read().ok_or(start))
    }
}
