//! Taking over what an earlier build kept in its database.

use std::fs;
use std::io;
use std::path::Path;

use super::files;
use super::frame::Frame;
use super::op;
use crate::former::Former;
use crate::record;
use crate::types::GroupId;

const FRAME_BYTES: usize = 1 << 20;
const SEGMENT_BYTES: usize = 16 << 20;

/// Writes all that the database has into segments beside it. Until the folder says that it holds segments, the database
/// counts, and a next try begins anew.
pub(super) fn take_over(folder: &Path, former: &Former) -> io::Result<()> {
    for (_, path) in files::segments(folder)? {
        fs::remove_file(path)?;
    }
    let mut import = Import::new(folder);
    former.each(|group, key, value| import.put(group, key, value))?;
    import.finish()?;
    files::set_format(folder)?;
    tracing::info!(path = %folder.display(), "the log of an earlier build is taken over");
    Ok(())
}

struct Import<'f> {
    folder: &'f Path,
    frame: Frame,
    frames: u64,
    segment: Vec<u8>,
    segments: u32,
}

impl<'f> Import<'f> {
    fn new(folder: &'f Path) -> Self {
        Self { folder, frame: Frame::default(), frames: 0, segment: Vec::new(), segments: 0 }
    }

    fn put(&mut self, group: GroupId, key: &[u8], value: &[u8]) -> io::Result<()> {
        let into = self.frame.operations();
        match record::index_of(key) {
            Ok(index) => op::write_entry(group, index, into, |into| {
                into.extend_from_slice(value);
                Ok(())
            })?,
            Err(_) => op::write_record(group, key, value, into)?,
        }
        if self.frame.length() > FRAME_BYTES { self.end_frame() } else { Ok(()) }
    }

    fn end_frame(&mut self) -> io::Result<()> {
        self.frames += 1;
        let bytes = self.frame.seal(self.frames, self.segment.len())?;
        self.segment.extend_from_slice(bytes);
        self.frame.clear();
        if self.segment.len() > SEGMENT_BYTES { self.end_segment() } else { Ok(()) }
    }

    fn end_segment(&mut self) -> io::Result<()> {
        self.segments += 1;
        files::make(self.folder, self.segments, &self.segment, self.segment.len())?;
        self.segment.clear();
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.end_frame()?;
        if self.segment.is_empty() { Ok(()) } else { self.end_segment() }
    }
}
