//! The real disk: a fjall database with a keyspace a group.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{Disk, Op, journal};
use crate::error::Error;
use crate::types::GroupId;

const CACHE_BYTES: u64 = 16 << 20;
// Tens of groups share one node: the default of 64 MiB each would hold gigabytes of log in memory.
const MEMTABLE_BYTES: u64 = 4 << 20;
const JOURNAL_BYTES: u64 = 128 << 20;
const LOCK_TRIES: usize = 3;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Cheap to clone; the database closes with the last clone.
#[derive(Clone)]
pub(crate) struct FjallDisk {
    database: Database,
    keyspaces: Arc<Mutex<BTreeMap<GroupId, Keyspace>>>,
}

impl FjallDisk {
    /// A database that is damaged is refused; `rewrites`: what a failed sync may have kept from the disk is written
    /// once more.
    pub(crate) fn open(path: &Path, rewrites: bool) -> Result<Self, Error> {
        {
            // What another process writes now must not be taken for torn.
            let _lock = lock(path)?;
            journal::check(path, rewrites)?;
        }
        let open = || {
            Database::builder(path)
                .cache_size(CACHE_BYTES)
                .max_journaling_size(JOURNAL_BYTES)
                .worker_threads(1)
                .manual_journal_persist(true)
                // A value that can't be unpacked would be taken for a torn end; plain ones are held by checksums.
                .journal_compression(CompressionType::None)
                .open()
        };
        // Of files that it can't have written itself it panics rather than returns an error.
        let opened = catch_unwind(AssertUnwindSafe(open));
        let opened = opened.map_err(|_| corrupt(path, "the database can't read it"))?;
        let database = opened.map_err(|error| match error {
            fjall::Error::Locked => Error::InUse { path: path.into() },
            other => match refusal(&other) {
                Some(error) => unusable(path, error),
                None => corrupt(path, &other.to_string()),
            },
        })?;
        Ok(Self { database, keyspaces: Arc::default() })
    }

    /// The keyspace with this name, made if need be.
    pub(crate) fn named(&self, name: &str) -> io::Result<Keyspace> {
        let options = || {
            KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES).manual_journal_persist(true)
        };
        self.database.keyspace(name, options).map_err(into_io)
    }

    pub(crate) fn keyspace(&self, group: GroupId) -> io::Result<Keyspace> {
        let mut keyspaces = self.keyspaces.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(keyspace) = keyspaces.get(&group) {
            return Ok(keyspace.clone());
        }
        let keyspace = self.named(&format!("group-{group}"))?;
        keyspaces.insert(group, keyspace.clone());
        Ok(keyspace)
    }

    pub(crate) fn persist(&self) -> io::Result<()> {
        self.database.persist(PersistMode::SyncAll).map_err(into_io)
    }
}

impl Disk for FjallDisk {
    fn commit(&mut self, ops: Vec<Op>) -> io::Result<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for ((group, key), value) in last_of_each(ops) {
            let keyspace = self.keyspace(group)?;
            match value {
                Some(value) => batch.insert(&keyspace, key, value),
                None => batch.remove(&keyspace, key),
            }
        }
        batch.commit().map_err(into_io)
    }
}

/// The database's own lock; none where there is no database yet. A process that is about to end is waited for.
fn lock(path: &Path) -> Result<Option<File>, Error> {
    let Ok(file) = File::open(path.join("lock")) else { return Ok(None) };
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(unusable(path, &error)),
        }
    }
    Err(Error::InUse { path: path.into() })
}

/// What the operating system refused, if that is the reason: what was read and makes no sense is damage.
fn refusal(error: &fjall::Error) -> Option<&io::Error> {
    let mut source = std::error::Error::source(error);
    while let Some(found) = source {
        if let Some(error) = found.downcast_ref::<io::Error>() {
            let senseless = [io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData, io::ErrorKind::Other];
            return Some(error).filter(|error| !senseless.contains(&error.kind()));
        }
        source = found.source();
    }
    None
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::Open { path: path.into(), reason: error.to_string() }
}

fn corrupt(path: &Path, what: &str) -> Error {
    Error::Corrupt { path: path.into(), what: what.into() }
}

/// Fjall gives a whole batch one sequence number: of two changes of one key, either could win.
fn last_of_each(ops: Vec<Op>) -> BTreeMap<(GroupId, Vec<u8>), Option<Vec<u8>>> {
    ops.into_iter()
        .map(|op| match op {
            Op::Put { group, key, value } => ((group, key), Some(value)),
            Op::Remove { group, key } => ((group, key), None),
        })
        .collect()
}

pub(crate) fn into_io(error: fjall::Error) -> io::Error {
    match error {
        fjall::Error::Io(error) => error,
        // Its own writing of tables failed earlier; the cause is in fjall's log line.
        fjall::Error::Poisoned => {
            io::Error::other("the database stopped after a failed write, most often of a full disk")
        }
        other => io::Error::other(other.to_string()),
    }
}
