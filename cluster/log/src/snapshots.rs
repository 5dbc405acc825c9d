//! A group's snapshot on disk: one file, whole or not there at all.
//!
//! `magic, version, checksum of the rest, length of the description, description, state`. It is written beside, synced
//! and renamed, so a crash leaves the old one. The newest wins; older ones are removed after it is in place.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::failed::Failed;
use crate::medium::Medium;
use crate::record::invalid;
use crate::types::{GroupId, SnapshotMeta};

const MAGIC: &[u8; 4] = b"MGSN";
const VERSION: u8 = 1;
const EXTENSION: &str = "snapshot";

/// One group's snapshots, in a folder or on a medium.
#[derive(Debug, Clone)]
pub struct Snapshots {
    place: Place,
    failed: Failed,
}

#[derive(Debug, Clone)]
enum Place {
    Folder(Folder),
    Medium(Arc<dyn Medium>, GroupId),
}

/// All calls block.
#[derive(Debug, Clone)]
struct Folder {
    path: PathBuf,
    saving: Arc<Mutex<()>>,
}

/// A snapshot as read back.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSnapshot {
    /// What it covers.
    pub meta: SnapshotMeta,
    /// The state machine's bytes.
    pub state: Vec<u8>,
}

impl Snapshots {
    /// Opens the folder, made if need be, and clears away what a crash left half written.
    pub(crate) fn open(folder: &Path, failed: Failed) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        for path in files(folder, "partial")? {
            fs::remove_file(path)?;
        }
        let place = Place::Folder(Folder { path: folder.into(), saving: Arc::default() });
        Ok(Self { place, failed })
    }

    pub(crate) fn on(medium: Arc<dyn Medium>, group: GroupId, failed: Failed) -> Self {
        Self { place: Place::Medium(medium, group), failed }
    }

    /// Runs work that writes or reads these snapshots: off the async threads where that blocks. A panic in it is an
    /// error here.
    pub async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let snapshots = self.clone();
        match self.place {
            Place::Folder(_) => {
                tokio::task::spawn_blocking(move || work(&snapshots)).await.map_err(io::Error::other)?
            }
            Place::Medium(..) => work(&snapshots),
        }
    }

    /// Keeps this snapshot in place of older ones. On `Ok` it survives a power cut. A newer one, or one of the same
    /// position, which covers the same state, is left as it is. What a failure left half written is removed: a full
    /// disk needs the room. A failure is one of the store, which is written no more.
    pub fn save(&self, meta: &SnapshotMeta, state: &[u8]) -> io::Result<()> {
        self.failed.check()?;
        let saved = match &self.place {
            Place::Folder(folder) => folder.save(meta, state),
            Place::Medium(medium, group) => medium.save(*group, meta, state),
        };
        saved.inspect_err(|error| self.failed.raise(error))
    }

    /// The newest snapshot. A damaged one is an error: the log before it may be gone, so an older one will not do.
    pub fn load(&self) -> io::Result<Option<StoredSnapshot>> {
        match &self.place {
            Place::Folder(folder) => folder.load(),
            Place::Medium(medium, group) => medium.load(*group),
        }
    }
}

impl Folder {
    fn save(&self, meta: &SnapshotMeta, state: &[u8]) -> io::Result<()> {
        let _one_at_a_time = self.saving.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let index = meta.last_log_id.map_or(0, |id| id.index);
        let path = self.path.join(format!("{index:020}.{EXTENSION}"));
        if self.newest()?.is_some_and(|newest| newest >= path) {
            return Ok(());
        }
        let partial = path.with_extension("partial");
        let written = write_file(&partial, meta, state).and_then(|()| fs::rename(&partial, &path));
        if let Err(error) = written {
            // It may not be there at all; the next start tries again.
            let _ = fs::remove_file(&partial);
            return Err(at(&partial, error));
        }
        File::open(&self.path)?.sync_all()?;
        for older in files(&self.path, EXTENSION)?.into_iter().filter(|other| *other != path) {
            fs::remove_file(older)?;
        }
        Ok(())
    }

    fn load(&self) -> io::Result<Option<StoredSnapshot>> {
        self.newest()?.map(|path| read_file(&path).map_err(|error| damaged(&path, error))).transpose()
    }

    fn newest(&self) -> io::Result<Option<PathBuf>> {
        Ok(files(&self.path, EXTENSION)?.into_iter().max())
    }
}

fn write_file(path: &Path, meta: &SnapshotMeta, state: &[u8]) -> io::Result<()> {
    let description = rmp_serde::to_vec_named(meta).map_err(invalid)?;
    let length = (description.len() as u32).to_be_bytes();
    let mut checksum = crc32fast::Hasher::new();
    [&length[..], &description, state].into_iter().for_each(|part| checksum.update(part));
    let mut file = File::create(path)?;
    for part in [&MAGIC[..], &[VERSION], &checksum.finalize().to_be_bytes(), &length, &description, state] {
        file.write_all(part)?;
    }
    file.sync_all()
}

fn read_file(path: &Path) -> io::Result<StoredSnapshot> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| invalid("not a snapshot"))?;
    let (version, rest) = rest.split_first().ok_or_else(cut_short)?;
    if *version != VERSION {
        return Err(invalid(format!("version {version} is unknown to this build")));
    }
    let (checksum, rest) = rest.split_first_chunk::<4>().ok_or_else(cut_short)?;
    if crc32fast::hash(rest) != u32::from_be_bytes(*checksum) {
        return Err(invalid("checksum does not match"));
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut_short)?;
    let (description, state) =
        rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or_else(cut_short)?;
    Ok(StoredSnapshot { meta: rmp_serde::from_slice(description).map_err(invalid)?, state: state.to_vec() })
}

fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
    Ok(found)
}

fn cut_short() -> io::Error {
    invalid("cut short")
}

fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("snapshot {}: {error}", path.display()))
}

/// What can't be read can't be repaired here.
fn damaged(path: &Path, error: io::Error) -> io::Error {
    let cure = "give the node up with `mangrove replace` on another node and let it join with an empty folder, or \
                restore a backup";
    match error.kind() {
        io::ErrorKind::InvalidData => at(path, io::Error::new(error.kind(), format!("{error}; {cure}"))),
        _ => at(path, error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::types::LogId;

    fn meta(index: u64) -> SnapshotMeta {
        SnapshotMeta { last_log_id: Some(LogId::new_term_index(2, index)), ..SnapshotMeta::default() }
    }

    #[test]
    fn the_newest_snapshot_is_the_one_kept() {
        let folder = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(folder.path(), Failed::new(|| {})).unwrap();
        assert_eq!(snapshots.load().unwrap(), None);
        snapshots.save(&meta(9), b"nine").unwrap();
        snapshots.save(&meta(10), b"ten").unwrap();
        snapshots.save(&meta(8), b"late").unwrap();
        assert_eq!(
            snapshots.load().unwrap().unwrap(),
            StoredSnapshot { meta: meta(10), state: b"ten".to_vec() }
        );
        assert_eq!(files(folder.path(), EXTENSION).unwrap().len(), 1);
    }

    #[test]
    fn a_half_written_snapshot_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        Snapshots::open(folder.path(), Failed::new(|| {})).unwrap().save(&meta(9), b"nine").unwrap();
        fs::write(folder.path().join("00000000000000000010.partial"), b"MGSN").unwrap();
        let snapshots = Snapshots::open(folder.path(), Failed::new(|| {})).unwrap();
        assert_eq!(snapshots.load().unwrap().unwrap().state, b"nine");
        assert!(files(folder.path(), "partial").unwrap().is_empty());
    }

    #[test]
    fn what_could_not_be_saved_leaves_no_half() {
        let folder = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(folder.path(), Failed::new(|| {})).unwrap();
        snapshots.save(&meta(9), b"nine").unwrap();
        // A file on a disk that is full.
        let partial = folder.path().join("00000000000000000010.partial");
        std::os::unix::fs::symlink("/dev/full", &partial).unwrap();
        let error = snapshots.save(&meta(10), b"ten").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{error}");
        assert!(files(folder.path(), "partial").unwrap().is_empty());
        assert_eq!(snapshots.load().unwrap().unwrap().state, b"nine");
    }

    #[test]
    fn any_changed_or_missing_byte_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(folder.path(), Failed::new(|| {})).unwrap();
        snapshots.save(&meta(3), b"state").unwrap();
        assert_eq!(snapshots.load().unwrap().unwrap().meta, meta(3));
        let path = files(folder.path(), EXTENSION).unwrap().remove(0);
        let whole = fs::read(&path).unwrap();
        for position in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[position] ^= 0x20;
            fs::write(&path, &damaged).unwrap();
            assert!(snapshots.load().is_err(), "byte {position} changed");
            fs::write(&path, &whole[..position]).unwrap();
            assert!(snapshots.load().is_err(), "cut at {position}");
        }
    }
}
