//! Reading all segments at a start: frame by frame, numbers without a gap, checksums of all bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{self, Segment};
use super::frame::{Head, is_zero, whole};
use super::index::Index;
use super::torn::{Verdict, judge};
use crate::error::Error;

/// What the segments say.
#[derive(Debug, Default)]
pub(super) struct Replay {
    pub(super) index: Index,
    pub(super) files: BTreeMap<u32, Arc<Segment>>,
    /// Number of the frame to be written next; `None`: there is none yet.
    pub(super) next_frame: Option<u64>,
    /// The segment that is written to, and the place of the next frame.
    pub(super) newest: Option<(Arc<Segment>, usize)>,
    /// One that was made ahead.
    pub(super) spare: Option<Segment>,
    /// Part of a frame that nobody was told of: where it begins and what is zero again.
    torn: Option<(PathBuf, usize, usize)>,
}

/// Reads the folder. What a crash tore is cut off; anything else that can't be read is an error with its place.
pub(super) fn replay(folder: &Path) -> Result<Replay, Error> {
    let refused =
        |path: &Path, error: io::Error| Error::Open { path: path.into(), reason: error.to_string() };
    let mut replay = Replay::default();
    let mut before = None;
    for (number, path) in files::segments(folder).map_err(|error| refused(folder, error))? {
        if before.is_some_and(|before| number != before + 1) {
            return Err(damaged(&path, 0, "the segment before it is missing"));
        }
        before = Some(number);
        let bytes = fs::read(&path).map_err(|error| refused(&path, error))?;
        let segment = Segment::open(number, &path).map_err(|error| refused(&path, error))?;
        replay.take(segment, &bytes)?;
    }
    if let Some(spare) = replay.spare.as_ref().filter(|spare| replay.files.is_empty() && spare.number > 1) {
        return Err(damaged(&spare.path, 0, "the segment before it is missing"));
    }
    replay.cut().map_err(|error| refused(folder, error))?;
    Ok(replay)
}

impl Replay {
    fn take(&mut self, segment: Segment, bytes: &[u8]) -> Result<(), Error> {
        if is_zero(bytes) {
            self.spare.get_or_insert(segment);
            return Ok(());
        }
        if let Some((path, at, _)) = &self.torn {
            return Err(lost(path, *at));
        }
        if let Some(spare) = &self.spare {
            return Err(lost(&spare.path, 0));
        }
        let end = self.frames(&segment, bytes)?;
        let next = self.next_frame.unwrap_or(1);
        match judge(bytes, end, next) {
            Verdict::Clean => {}
            Verdict::Torn(until) => self.torn = Some((segment.path.clone(), end, until)),
            Verdict::Damaged => return Err(lost(&segment.path, end)),
        }
        match end {
            0 => self.spare = Some(segment),
            _ => self.keep(segment, end),
        }
        Ok(())
    }

    fn keep(&mut self, segment: Segment, end: usize) {
        let segment = Arc::new(segment);
        self.files.insert(segment.number, segment.clone());
        self.newest = Some((segment, end));
    }

    /// Takes in all whole frames and says where they end.
    fn frames(&mut self, segment: &Segment, bytes: &[u8]) -> Result<usize, Error> {
        let mut end = 0;
        while let Some((head, frame)) = whole(&bytes[end..]) {
            self.check(head, &segment.path, end)?;
            let taken = self.index.take(frame, segment.number, end);
            taken.map_err(|place| damaged(&segment.path, end + place, "it makes no sense"))?;
            self.next_frame = Some(head.number + 1);
            end += frame.len();
        }
        Ok(end)
    }

    fn check(&self, head: Head, path: &Path, at: usize) -> Result<(), Error> {
        if !head.is_known() {
            let reason = format!("frame version {} is unknown to this build", head.version);
            return Err(Error::Open { path: path.into(), reason });
        }
        match self.next_frame {
            Some(next) if next != head.number => {
                Err(damaged(path, at, &format!("frame {} is there in place of {next}", head.number)))
            }
            _ => Ok(()),
        }
    }

    /// Makes zeros again of what a crash left of the last frame.
    fn cut(&mut self) -> io::Result<()> {
        let Some((path, at, until)) = self.torn.take() else { return Ok(()) };
        tracing::warn!(path = %path.display(), at, "a write that was never acknowledged is cut off");
        let file = fs::OpenOptions::new().write(true).open(path)?;
        file.write_all_at(&vec![0; until - at], at as u64)?;
        file.sync_data()
    }
}

fn lost(path: &Path, at: usize) -> Error {
    damaged(path, at, "acknowledged records are there")
}

fn damaged(path: &Path, at: usize, why: &str) -> Error {
    Error::Corrupt { path: path.into(), what: format!("it can't be read from byte {at} on, and {why}") }
}
