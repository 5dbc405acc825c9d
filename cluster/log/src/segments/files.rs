//! The folder's files: `NNNNNNNNNN.segment`, `version`, which earlier builds' database refuses, and `lock`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;

const SEGMENT: &str = "segment";
const PARTIAL: &str = "partial";
const MARK: &str = "version";
const FORMAT: &[u8] = b"mangrove log 1\n";
const LOCK_TRIES: usize = 3;
const LOCK_PAUSE: Duration = Duration::from_millis(100);
/// A new file's blocks go to the disk in such steps, so that syncs of others wait for one of them at most.
const STEP: usize = 1 << 20;

/// One file of the log. It can be read as long as somebody has it, also when it is removed.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) size: usize,
}

impl Segment {
    pub(super) fn open(number: u32, path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let size = file.metadata()?.len() as usize;
        Ok(Self { number, path: path.into(), file, size })
    }
}

/// Makes a segment that begins with these bytes, the rest of them zeros that are on the disk: later writes change nothing
/// but data. It is there whole or, after an error, not at all.
pub(super) fn make(folder: &Path, number: u32, begin: &[u8], size: usize) -> io::Result<Segment> {
    let path = folder.join(format!("{number:010}.{SEGMENT}"));
    let partial = path.with_extension(PARTIAL);
    let made = fill(&partial, begin, size).and_then(|()| fs::rename(&partial, &path));
    if let Err(error) = made {
        // A full disk needs the room; it may not be there at all.
        let _ = fs::remove_file(&partial);
        return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display())));
    }
    sync_folder(folder)?;
    Segment::open(number, &path)
}

fn fill(path: &Path, begin: &[u8], size: usize) -> io::Result<()> {
    let file = File::create(path)?;
    file.write_all_at(begin, 0)?;
    let zeros = vec![0; STEP];
    let mut at = begin.len();
    while at < size {
        let step = (size - at).min(STEP);
        file.write_all_at(&zeros[..step], at as u64)?;
        file.sync_data()?;
        at += step;
    }
    file.sync_all()
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The segments by number. What a crash left half made is removed.
pub(super) fn segments(folder: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        match (extension, number) {
            (Some(SEGMENT), Some(number)) => found.push((number, path)),
            (Some(PARTIAL), _) => fs::remove_file(path)?,
            _ => {}
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Only one process at a time. One that is about to end is waited for.
pub(super) fn lock(folder: &Path) -> Result<File, Error> {
    let refused = |error: io::Error| Error::Open { path: folder.into(), reason: error.to_string() };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"));
    let file = file.map_err(refused)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
    }
    Err(Error::InUse { path: folder.into() })
}

/// What the folder says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    Ours,
    /// Nothing yet.
    New,
    Other(Vec<u8>),
}

pub(super) fn format(folder: &Path) -> io::Result<Format> {
    match fs::read(folder.join(MARK)) {
        Ok(mark) if mark == FORMAT => Ok(Format::Ours),
        Ok(mark) => Ok(Format::Other(mark)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Format::New),
        Err(error) => Err(error),
    }
}

/// Says that the folder holds segments, which are on the disk by now.
pub(super) fn set_format(folder: &Path) -> io::Result<()> {
    let partial = folder.join(MARK).with_extension(PARTIAL);
    fs::write(&partial, FORMAT)?;
    File::open(&partial)?.sync_all()?;
    fs::rename(&partial, folder.join(MARK))?;
    sync_folder(folder)
}
