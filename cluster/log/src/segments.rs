//! The log on a real disk: segments, files of zeros made ahead, into which frames are written one behind the other.
//!
//! ```text
//! 0000000007.segment   frame 5120 (all small records) │ frame 5121 │ frame 5122 │ zeros …
//! ```
//!
//! A frame is one batch of all groups: one write, one sync, and since the file's blocks are there already, nothing but
//! data goes to the disk. Where entries are is kept in memory (`index.rs`). Each segment begins with all small records, so
//! that older ones can go: the oldest does when no entry of it lives, and where few live its entries are carried on into
//! the newest (`disk.rs`). What is read at a start is checked frame by frame (`replay.rs`), later entry by entry.

mod ahead;
mod disk;
mod files;
mod frame;
mod import;
mod index;
mod op;
mod replay;
mod torn;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) use disk::SegmentDisk;
#[cfg(test)]
pub(crate) use frame::Frame;

use crate::error::Error;
use crate::former::Former;
use crate::record::{self, invalid};
use crate::types::{Entry, GroupId, LogId};
use files::{Format, Segment};
use index::{Index, Spot};

/// What readers and the writer know of the segments.
#[derive(Debug)]
pub(crate) struct Segments {
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    index: Index,
    files: BTreeMap<u32, Arc<Segment>>,
}

impl Segments {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// One of the small records.
    pub(crate) fn record(&self, group: GroupId, key: &[u8]) -> Option<Vec<u8>> {
        self.lock().index.record(group, key).map(<[u8]>::to_vec)
    }

    /// The entries of `range` from its beginning on, until their records are more than `limit` bytes.
    pub(crate) fn read(&self, group: GroupId, range: Range<u64>, limit: usize) -> io::Result<Vec<Entry>> {
        let (mut entries, mut bytes, mut buffer) = (Vec::new(), 0, Vec::new());
        for index in range {
            self.fetch(group, index, &mut buffer)?;
            let record = op::entry_record(&buffer, group, index).ok_or_else(|| self.damaged(group, index))?;
            entries.push(record::decode_entry(index, record)?);
            bytes += record.len();
            if bytes > limit {
                break;
            }
        }
        Ok(entries)
    }

    /// Reads an entry's operation, unchecked.
    fn fetch(&self, group: GroupId, index: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
        let (file, spot) = self.lock().place(group, index).ok_or_else(|| record::hole(group, index))?;
        buffer.resize(spot.length as usize, 0);
        file.file.read_exact_at(buffer, u64::from(spot.at))
    }

    fn damaged(&self, group: GroupId, index: u64) -> io::Error {
        let place = self.lock().place(group, index);
        let place = place.map(|(file, spot)| format!("{} at byte {}", file.path.display(), spot.at));
        invalid(format!("{} is damaged: entry {index} of group {group}", place.unwrap_or_default()))
    }

    /// Index of the first entry and position of the last one. An entry that is missing between is an error.
    pub(crate) fn extent(&self, group: GroupId) -> io::Result<Option<(u64, LogId)>> {
        let extent = {
            let inside = self.lock();
            let extent = inside.index.extent(group);
            let missing = extent.clone().find(|index| inside.index.spot(group, *index).is_none());
            missing.map_or(Ok(extent), |index| Err(record::hole(group, index)))?
        };
        let Some(last) = extent.clone().next_back() else { return Ok(None) };
        Ok(self.read(group, last..last + 1, 0)?.pop().map(|entry| (extent.start, entry.log_id)))
    }
}

impl Inside {
    fn place(&self, group: GroupId, index: u64) -> Option<(Arc<Segment>, Spot)> {
        let spot = self.index.spot(group, index)?;
        Some((self.files.get(&spot.segment)?.clone(), spot))
    }
}

/// Makes the folder if need be and keeps other processes out of it until the lock is dropped. What an older build left is
/// taken over first.
pub(crate) fn lock(folder: &Path) -> Result<File, Error> {
    let refused = |error: io::Error| Error::Open { path: folder.into(), reason: error.to_string() };
    fs::create_dir_all(folder).map_err(refused)?;
    let mut held = files::lock(folder)?;
    match files::format(folder).map_err(refused)? {
        Format::Ours => {}
        Format::New if Former::is_left(folder).map_err(refused)? => {
            let what = "journals are there, and not what says how to read them".to_owned();
            return Err(Error::Corrupt { path: folder.into(), what });
        }
        Format::New => files::set_format(folder).map_err(refused)?,
        Format::Other(mark) if Former::made(&mark) => {
            Former::check(folder)?;
            // The database has a lock of its own, the same file.
            drop(held);
            let former = Former::open(folder)?;
            import::take_over(folder, &former).map_err(refused)?;
            drop(former);
            held = files::lock(folder)?;
        }
        Format::Other(_) => {
            return Err(refused(invalid("a build that this one doesn't know has written it")));
        }
    }
    Former::clear(folder).map_err(refused)?;
    Ok(held)
}
