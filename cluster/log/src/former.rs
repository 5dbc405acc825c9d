//! The logs of builds before this one's segments: a fjall database with a keyspace a group. It is read once, to be taken
//! over, and never written.

mod journal;

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fjall::{Database, Keyspace, KeyspaceCreateOptions};

use crate::error::Error;
use crate::types::GroupId;

const OWNERS: &str = "owner";
const GROUPS: &str = "group-";
const KEYSPACES: &str = "keyspaces";
const JOURNAL: &str = "jnl";

/// The database, which keeps other processes out of the folder as long as it is open.
pub(crate) struct Former {
    database: Database,
}

impl Former {
    /// Whether a folder with this mark holds such a database.
    pub(crate) fn made(mark: &[u8]) -> bool {
        mark.starts_with(b"FJL")
    }

    /// Refuses journals that are damaged, and cuts off what a crash tore. Nobody else may have the folder meanwhile.
    pub(crate) fn check(folder: &Path) -> Result<(), Error> {
        journal::check(folder)
    }

    /// Opens a database that was checked.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        // Of files that it can't have written itself it panics rather than returns an error.
        let opened = catch_unwind(AssertUnwindSafe(|| Database::builder(folder).worker_threads(1).open()));
        let opened = opened.map_err(|_| corrupt(folder, "the database can't read it"))?;
        let database = opened.map_err(|error| match error {
            fjall::Error::Locked => Error::InUse { path: folder.into() },
            other => match refusal(&other) {
                Some(error) => Error::Open { path: folder.into(), reason: error.to_string() },
                None => corrupt(folder, &other.to_string()),
            },
        })?;
        Ok(Self { database })
    }

    /// Hands over every record of every group; the owner's are group 0's.
    pub(crate) fn each(
        &self,
        mut take: impl FnMut(GroupId, &[u8], &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        for name in self.database.list_keyspace_names() {
            let Some(group) = group_of(&name) else { continue };
            for item in self.keyspace(&name)?.iter() {
                let (key, value) = item.into_inner().map_err(into_io)?;
                take(group, &key, &value)?;
            }
        }
        Ok(())
    }

    fn keyspace(&self, name: &str) -> io::Result<Keyspace> {
        self.database.keyspace(name, KeyspaceCreateOptions::default).map_err(into_io)
    }

    /// Whether journals are there that say something.
    pub(crate) fn is_left(folder: &Path) -> io::Result<bool> {
        for path in journals(folder)? {
            if fs::read(path)?.iter().any(|byte| *byte != 0) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes what a database that was taken over has left.
    pub(crate) fn clear(folder: &Path) -> io::Result<()> {
        journals(folder)?.into_iter().try_for_each(fs::remove_file)?;
        match fs::remove_dir_all(folder.join(KEYSPACES)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn journals(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == JOURNAL) {
            found.push(path);
        }
    }
    Ok(found)
}

fn group_of(keyspace: &str) -> Option<GroupId> {
    if keyspace == OWNERS { Some(0) } else { keyspace.strip_prefix(GROUPS)?.parse().ok() }
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

fn corrupt(path: &Path, what: &str) -> Error {
    Error::Corrupt { path: path.into(), what: what.into() }
}

fn into_io(error: fjall::Error) -> io::Error {
    match error {
        fjall::Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
