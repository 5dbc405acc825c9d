//! Writing into segments: the one end of the log that changes anything.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::ahead::{self, Ahead};
use super::files::{self, Segment};
use super::frame::Frame;
use super::replay::{Replay, replay};
use super::{Inside, Segments, op};
use crate::change::Change;
use crate::disk::Disk;
use crate::error::Error;
use crate::record::invalid;
use crate::types::GroupId;

/// So much a batch carries on, beside as much as its own, of entries that hold an old segment.
const CARRIED: usize = 16 << 10;
/// Segments may take twice what lives in them and so many times the newest besides.
const SLACK: u64 = 3;

/// The writer's end. Others are kept out of the folder as long as it is there.
pub(crate) struct SegmentDisk {
    segments: Arc<Segments>,
    newest: Arc<Segment>,
    /// Where the next frame goes.
    end: usize,
    next_frame: u64,
    frame: Frame,
    /// Entries of the oldest segment that are yet to be carried on.
    held_up: Vec<(GroupId, u64)>,
    ahead: Ahead,
    _lock: File,
}

impl SegmentDisk {
    /// Opens the folder that is locked. What a crash tore is cut off, damage is refused. `rewrites`: what a failed sync may
    /// have kept from the disk is written once more.
    pub(crate) fn open(folder: &Path, lock: File, rewrites: bool) -> Result<Self, Error> {
        let replay = replay(folder)?;
        let opened = Self::go_on(folder, lock, replay, rewrites);
        opened.map_err(|error| Error::Open { path: folder.into(), reason: error.to_string() })
    }

    fn go_on(folder: &Path, lock: File, replay: Replay, rewrites: bool) -> io::Result<Self> {
        let Replay { index, mut files, next_frame, newest, mut spare, .. } = replay;
        let (newest, end) = match (newest, spare.take_if(|_| files.is_empty())) {
            (Some((newest, end)), _) if rewrites => (rewrite(folder, &newest, end)?, end),
            (Some((newest, end)), _) => (newest, end),
            (None, Some(spare)) => (Arc::new(spare), 0),
            (None, None) => (Arc::new(ahead::make(folder, 1, ahead::LEAST, ahead::LEAST)?), 0),
        };
        // What a killed process wrote is there, but may not be on the disk; from now on it counts.
        newest.file.sync_data()?;
        files.insert(newest.number, newest.clone());
        let segments = Arc::new(Segments { inside: Mutex::new(Inside { index, files }) });
        let ahead = Ahead::start(folder, spare)?;
        Ok(Self {
            segments,
            newest,
            end,
            next_frame: next_frame.unwrap_or(1),
            frame: Frame::default(),
            held_up: Vec::new(),
            ahead,
            _lock: lock,
        })
    }

    /// For reading.
    pub(crate) fn segments(&self) -> Arc<Segments> {
        self.segments.clone()
    }

    fn put(&mut self, frame: &mut Frame) -> io::Result<()> {
        if frame.length() > self.newest.size - self.end {
            self.begin_segment(frame.length())?;
        }
        self.write(frame)
    }

    fn write(&mut self, frame: &mut Frame) -> io::Result<()> {
        let bytes = frame.seal(self.next_frame, self.end)?;
        self.newest.file.write_all_at(bytes, self.end as u64)?;
        self.newest.file.sync_data()?;
        let taken = self.segments.lock().index.take(bytes, self.newest.number, self.end);
        taken.map_err(|place| invalid(format!("a frame was made wrong at its byte {place}")))?;
        self.end += bytes.len();
        self.next_frame += 1;
        Ok(())
    }

    /// Goes on in a new segment, which has all small records before anything else. They are a frame, hence a sync, of their
    /// own: of two frames under way at once a crash could leave the second alone.
    fn begin_segment(&mut self, needed: usize) -> io::Result<()> {
        let mut summary = Frame::default();
        self.segments.lock().index.write_summary(summary.operations())?;
        let next = self.ahead.take(&self.newest, summary.length() + needed)?;
        self.newest = Arc::new(next);
        self.end = 0;
        self.segments.lock().files.insert(self.newest.number, self.newest.clone());
        self.write(&mut summary)
    }

    /// Where too little of the segments lives, entries of the oldest go into this frame too, before what changes them.
    fn carry_on(&mut self, frame: &mut Frame, limit: usize) -> io::Result<()> {
        let Some(oldest) = self.segments.lock().wasteful(&self.newest) else {
            self.held_up.clear();
            return Ok(());
        };
        if self.held_up.is_empty() {
            self.held_up = self.segments.lock().index.entries_in(oldest);
        }
        let mut operation = Vec::new();
        while frame.length() < limit
            && let Some((group, index)) = self.held_up.pop()
        {
            if self.segments.lock().index.spot(group, index).is_none_or(|spot| spot.segment != oldest) {
                continue;
            }
            self.segments.fetch(group, index, &mut operation)?;
            op::entry_record(&operation, group, index).ok_or_else(|| self.segments.damaged(group, index))?;
            frame.operations().extend_from_slice(&operation);
        }
        Ok(())
    }

    /// Has removed what isn't needed any more, and made what will be.
    fn look_after(&mut self) -> io::Result<()> {
        while let Some(unneeded) = self.segments.lock().drop_oldest(&self.newest) {
            self.ahead.remove(unneeded.path.clone())?;
        }
        if self.end > self.newest.size / 2 { self.ahead.prepare(&self.newest) } else { Ok(()) }
    }
}

impl Disk for SegmentDisk {
    fn commit(&mut self, changes: Vec<Change>) -> io::Result<()> {
        let mut frame = std::mem::take(&mut self.frame);
        frame.clear();
        self.carry_on(&mut frame, CARRIED + changes.iter().map(Change::size).sum::<usize>())?;
        changes.iter().try_for_each(|change| op::write(change, frame.operations()))?;
        if !frame.is_empty() {
            self.put(&mut frame)?;
        }
        self.frame = frame;
        self.look_after()
    }
}

impl Inside {
    /// The oldest segment, if all of them take more than they may.
    fn wasteful(&self, newest: &Segment) -> Option<u32> {
        let sizes = self.files.values().map(|file| (file.number, file.size as u64));
        let (taken, live) = sizes.fold((0, 0), |(taken, live), (number, size)| {
            (taken + size, live + self.index.live_share(number, size))
        });
        let allowed = 2 * live + SLACK * newest.size as u64;
        let (oldest, _) = self.files.first_key_value()?;
        (taken > allowed && *oldest != newest.number).then_some(*oldest)
    }

    /// Lets go of the oldest segment if nothing of it lives.
    fn drop_oldest(&mut self, newest: &Segment) -> Option<Arc<Segment>> {
        let (oldest, _) = self.files.first_key_value()?;
        if *oldest == newest.number || self.index.live(*oldest) > 0 {
            return None;
        }
        let (number, segment) = self.files.pop_first()?;
        self.index.forget(number);
        Some(segment)
    }
}

/// After a sync that failed, the system may show what the disk never got: written anew, it has it.
fn rewrite(folder: &Path, segment: &Segment, end: usize) -> io::Result<Arc<Segment>> {
    let mut written = vec![0; end];
    segment.file.read_exact_at(&mut written, 0)?;
    files::make(folder, segment.number, &written, segment.size).map(Arc::new)
}
