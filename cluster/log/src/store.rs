//! The store of one node: opens its log, checks whose it is, and hands out groups' logs.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::change::Change;
use crate::disk::Disk;
use crate::error::Error;
use crate::failed::Failed;
use crate::group::GroupLog;
use crate::medium::{Medium, Op};
use crate::reader::GroupReader;
use crate::record::{self, OWNER};
use crate::segments::{self, SegmentDisk, Segments};
use crate::shared::{Positions, Shared};
use crate::snapshots::Snapshots;
use crate::table::Table;
use crate::types::{GroupId, LogId, NodeId};
use crate::writer::{self, Queue};

/// A file beside the log as long as no sync has failed since it was opened.
const SYNCED: &str = "synced";

/// Whose disk it is. Written once, into an empty store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The cluster's incarnation.
    pub incarnation: u64,
    /// The node.
    pub node: NodeId,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} of cluster {:016x}", self.node, self.incarnation)
    }
}

/// All logs and snapshots of one node. Dropping it writes what is queued, then refuses what logs still held send.
pub struct Store {
    place: Place,
    queue: Queue,
    groups: Mutex<BTreeMap<GroupId, GroupLog>>,
    failed: Failed,
    thread: Option<JoinHandle<()>>,
}

/// Where it is kept.
enum Place {
    Folder(PathBuf, Arc<Segments>),
    Medium(Arc<dyn Medium>),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("place", &self.place.name()).finish_non_exhaustive()
    }
}

impl Place {
    /// For errors.
    fn name(&self) -> &Path {
        match self {
            Self::Folder(folder, _) => folder,
            Self::Medium(_) => Path::new("(simulated disk)"),
        }
    }

    fn table(&self, group: GroupId) -> Table {
        match self {
            Self::Folder(_, segments) => Table::Segments(segments.clone(), group),
            Self::Medium(medium) => Table::Medium(medium.clone(), group),
        }
    }
}

impl Store {
    /// Opens the store in `folder`, made if need be, for `owner`; a folder of another owner is refused.
    pub fn open(folder: &Path, owner: Owner) -> Result<Self, Error> {
        let disk = open_disk(folder, owner)?;
        Self::with_writer(folder, disk.segments(), Box::new(disk))
    }

    /// Reads from `segments` and writes through `through`, which tests make fail.
    pub(crate) fn with_writer(
        folder: &Path,
        segments: Arc<Segments>,
        through: Box<dyn Disk>,
    ) -> Result<Self, Error> {
        let mark = folder.join(SYNCED);
        let failed = Failed::new(move || {
            // Not there any more is as good.
            let _ = fs::remove_file(&mark);
        });
        let started = writer::start(through, failed.clone());
        let (queue, thread) = started.map_err(|error| cannot_open(folder, error))?;
        let place = Place::Folder(folder.to_path_buf(), segments);
        Ok(Self { place, queue, groups: Mutex::default(), failed, thread: Some(thread) })
    }

    /// Opens the store on a medium, whose writer is then a task of this runtime. A medium of another owner is refused.
    pub async fn open_on(medium: Arc<dyn Medium>, owner: Owner) -> Result<Self, Error> {
        let place = Place::Medium(medium.clone());
        let found = claim_medium(&*medium, owner).await.map_err(|error| cannot_open(place.name(), error))?;
        if found != owner {
            return Err(Error::Foreign { path: place.name().into(), found, wanted: owner });
        }
        let failed = Failed::new(|| {});
        let queue = writer::start_on(medium, failed.clone());
        Ok(Self { place, queue, groups: Mutex::default(), failed, thread: None })
    }

    /// The log of a group, made if need be. Calls for the same group give the same log.
    pub fn group(&self, group: GroupId) -> Result<GroupLog, Error> {
        let mut groups = self.groups.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(log) = groups.get(&group) {
            return Ok(log.clone());
        }
        let table = self.place.table(group);
        let positions =
            recover(&table).map_err(|error| Error::Damaged { group, reason: error.to_string() })?;
        let shared = Arc::new(Shared::new(group, positions));
        let log = GroupLog::new(shared.clone(), self.queue.clone(), GroupReader::new(shared, table));
        groups.insert(group, log.clone());
        Ok(log)
    }

    /// The snapshots of a group.
    pub fn snapshots(&self, group: GroupId) -> Result<Snapshots, Error> {
        let folder = match &self.place {
            Place::Medium(medium) => return Ok(Snapshots::on(medium.clone(), group, self.failed.clone())),
            Place::Folder(folder, _) => folder.join("snapshots").join(group.to_string()),
        };
        Snapshots::open(&folder, self.failed.clone()).map_err(|error| cannot_open(&folder, error))
    }

    /// Turns `Some` with the reason once a write has failed, a snapshot's too, and stays so: this node must step down.
    pub fn watch_failure(&self) -> watch::Receiver<Option<String>> {
        self.failed.watch()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.queue.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the Raft log's writer panicked");
        }
    }
}

/// Opens the log and checks or writes the owner.
pub(crate) fn open_disk(folder: &Path, owner: Owner) -> Result<SegmentDisk, Error> {
    let log = folder.join("log");
    let lock = segments::lock(&log)?;
    // It need not be on the disk itself: what it tells of lives as long as the system's memory of it.
    let mark = folder.join(SYNCED);
    let rewrites = fs::remove_file(&mark).is_err();
    let mut disk = SegmentDisk::open(&log, lock, rewrites)?;
    let found = claim(&mut disk, owner).map_err(|error| cannot_open(folder, error))?;
    fs::write(&mark, []).map_err(|error| cannot_open(&mark, error))?;
    if found == owner {
        return Ok(disk);
    }
    Err(Error::Foreign { path: folder.into(), found, wanted: owner })
}

fn claim(disk: &mut SegmentDisk, owner: Owner) -> io::Result<Owner> {
    if let Some(found) = disk.segments().record(0, OWNER) {
        return record::decode(&found);
    }
    disk.commit(vec![Change::Record { group: 0, key: OWNER, value: record::encode(&owner)? }])?;
    Ok(owner)
}

/// Group 0's table holds it: no entry has its key.
async fn claim_medium(medium: &dyn Medium, owner: Owner) -> io::Result<Owner> {
    if let Some(found) = medium.get(0, OWNER)? {
        return record::decode(&found);
    }
    medium.commit(vec![Op::Put { group: 0, key: OWNER.to_vec(), value: record::encode(&owner)? }]).await?;
    Ok(owner)
}

fn recover(table: &Table) -> io::Result<Positions> {
    let purged: Option<LogId> = table.get(record::PURGED)?;
    let extent = table.extent()?;
    let last = extent.map(|(_, last)| last).max(purged);
    let mut positions = Positions { last, purged, vote: table.get(record::VOTE)?, ..Positions::default() };
    positions.on_disk = last.map(|id| id.index);
    // The position may have been written before the entries it speaks of.
    positions.committed = table.get::<Option<LogId>>(record::COMMITTED)?.flatten().min(last);
    positions.first = extent.map_or(positions.end(), |(first, _)| first);
    match purged {
        Some(purged) if positions.first != purged.index + 1 => {
            Err(record::invalid(format!("it starts at {}, not at {}", positions.first, purged.index + 1)))
        }
        _ => Ok(positions),
    }
}

fn cannot_open(path: &Path, error: io::Error) -> Error {
    Error::Open { path: path.into(), reason: error.to_string() }
}

#[cfg(test)]
mod tests;
