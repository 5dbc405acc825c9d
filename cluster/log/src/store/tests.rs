//! Whole stores: reopened, killed in mid-append, cut short, on a failing disk, and many groups under one sync.

#![allow(clippy::unwrap_used)]

mod crash;
mod flips;
mod former;
mod space;

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::type_config::TypeConfigExt;
use openraft::{EntryPayload, RaftLogReader};

use super::*;
use crate::types::{Entry, Payload, TypeConfig, Vote};

const OWNER: Owner = Owner { incarnation: 7, node: 1 };

/// Also segments that were made ahead, by number.
fn segments(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder.join("log")).unwrap().map(|file| file.unwrap().path());
    let mut found: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "segment")).collect();
    found.sort();
    found
}

/// Where the zeros begin.
fn written(segment: &Path) -> usize {
    fs::read(segment).unwrap().iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

pub(super) fn entry(index: u64) -> Entry {
    let payload = Payload(Bytes::from(format!("command {index}")));
    Entry { log_id: LogId::new_term_index(1, index), payload: EntryPayload::Normal(payload) }
}

/// Appends and waits for the disk.
pub(super) async fn append(log: &mut GroupLog, indexes: std::ops::Range<u64>) -> io::Result<()> {
    let (sender, flushed) = TypeConfig::oneshot();
    log.append(indexes.map(entry), IOFlushed::signal(sender)).await?;
    flushed.await.unwrap()
}

async fn indexes(log: &mut GroupLog) -> Vec<u64> {
    let entries = log.try_get_log_entries(..).await.unwrap();
    entries.iter().for_each(|found| assert_eq!(*found, entry(found.log_id.index)));
    entries.iter().map(|entry| entry.log_id.index).collect()
}

#[tokio::test]
async fn everything_is_back_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = Store::open(folder.path(), OWNER).unwrap();
        let mut log = store.group(3).unwrap();
        log.save_vote(&Vote::new_committed(1, 1)).await.unwrap();
        append(&mut log, 0..20).await.unwrap();
        log.truncate_after(Some(LogId::new_term_index(1, 14))).await.unwrap();
        log.purge(LogId::new_term_index(1, 4)).await.unwrap();
        log.save_committed(Some(LogId::new_term_index(1, 12))).await.unwrap();
        append(&mut store.group(4).unwrap(), 0..2).await.unwrap();
    }
    let store = Store::open(folder.path(), OWNER).unwrap();
    let mut log = store.group(3).unwrap();
    assert_eq!(log.read_vote().await.unwrap(), Some(Vote::new_committed(1, 1)));
    assert_eq!(log.read_committed().await.unwrap(), Some(LogId::new_term_index(1, 12)));
    assert_eq!(indexes(&mut log).await, (5..15).collect::<Vec<_>>());
    assert_eq!(log.get_log_state().await.unwrap().last_purged_log_id, Some(LogId::new_term_index(1, 4)));
    append(&mut log, 15..17).await.unwrap();
    assert_eq!(indexes(&mut store.group(4).unwrap()).await, [0, 1]);
}

#[tokio::test]
async fn an_entry_written_again_after_truncation_is_the_later_one() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = Store::open(folder.path(), OWNER).unwrap();
        let mut log = store.group(1).unwrap();
        // Not waited for: the append and the truncation share a batch.
        log.append((0..9).map(entry), IOFlushed::noop()).await.unwrap();
        log.truncate_after(Some(LogId::new_term_index(1, 3))).await.unwrap();
        assert_eq!(indexes(&mut log).await, [0, 1, 2, 3]);
    }
    let store = Store::open(folder.path(), OWNER).unwrap();
    assert_eq!(indexes(&mut store.group(1).unwrap()).await, [0, 1, 2, 3]);
}

#[tokio::test]
async fn old_entries_are_read_from_disk_and_new_ones_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), OWNER).unwrap();
    let mut log = store.group(1).unwrap();
    for start in (0..6000).step_by(1000) {
        append(&mut log, start..start + 1000).await.unwrap();
    }
    assert_eq!(indexes(&mut log).await, (0..6000).collect::<Vec<_>>());
    let part = log.try_get_log_entries(3990..=4010).await.unwrap();
    assert_eq!(part.len(), 21);
    assert!(log.try_get_log_entries(6000..7000).await.unwrap().is_empty());
}

/// Not only at a start.
#[tokio::test]
async fn a_bit_that_changes_under_a_running_store_is_found_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), OWNER).unwrap();
    let mut log = store.group(1).unwrap();
    append(&mut log, 0..3000).await.unwrap();
    append(&mut log, 3000..3001).await.unwrap();
    let path = &segments(folder.path())[0];
    let mut bytes = fs::read(path).unwrap();
    let place = bytes.windows(9).position(|text| text == b"command 7").unwrap();
    bytes[place] ^= 4;
    fs::write(path, bytes).unwrap();
    let error = log.try_get_log_entries(5..9).await.unwrap_err().to_string();
    assert!(error.contains("0000000001.segment at byte") && error.contains("entry 7 of group 1"), "{error}");
    assert_eq!(log.try_get_log_entries(8..12).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_gap_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), OWNER).unwrap();
    let mut log = store.group(1).unwrap();
    append(&mut log, 0..3).await.unwrap();
    assert!(append(&mut log, 4..5).await.unwrap_err().to_string().contains("3 comes next"));
    assert_eq!(indexes(&mut log).await, [0, 1, 2]);
}

#[test]
fn another_owners_disk_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path(), OWNER).unwrap());
    let other = Owner { incarnation: 7, node: 2 };
    let error = Store::open(folder.path(), other).unwrap_err();
    assert!(matches!(error, Error::Foreign { .. }), "{error}");
    assert!(error.to_string().contains("belongs to node 1 of cluster 0000000000000007"), "{error}");
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Store::open(folder.path(), OWNER).unwrap();
    assert!(matches!(Store::open(folder.path(), OWNER).unwrap_err(), Error::InUse { .. }));
}

/// Counts batches and fails from the given one on, the way a full disk or a failing fsync does.
struct Watched {
    disk: SegmentDisk,
    batches: Arc<AtomicUsize>,
    fails_from: usize,
}

impl Disk for Watched {
    fn commit(&mut self, changes: Vec<Change>) -> io::Result<()> {
        let batch = self.batches.fetch_add(1, Ordering::SeqCst);
        if batch >= self.fails_from {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.disk.commit(changes)
    }
}

fn watched(folder: &Path, fails_from: usize) -> (Store, Arc<AtomicUsize>) {
    let disk = open_disk(folder, OWNER).unwrap();
    let (segments, batches) = (disk.segments(), Arc::new(AtomicUsize::new(0)));
    let through = Watched { disk, batches: batches.clone(), fails_from };
    (Store::with_writer(folder, segments, Box::new(through)).unwrap(), batches)
}

#[tokio::test]
async fn a_full_disk_is_reported_and_nothing_is_acknowledged_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, batches) = watched(folder.path(), 1);
    let mut log = store.group(1).unwrap();
    append(&mut log, 0..1).await.unwrap();
    assert_eq!(*store.watch_failure().borrow(), None);
    let error = append(&mut log, 1..2).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(store.watch_failure().borrow().is_some());
    // The disk may be well again: what it holds is unknown all the same.
    assert!(append(&mut log, 2..3).await.is_err());
    assert!(store.group(2).unwrap().save_vote(&Vote::new(1, 1)).await.is_err());
    assert_eq!(batches.load(Ordering::SeqCst), 2);
}

/// The system may show from its memory what a failed sync kept from the disk.
#[tokio::test]
async fn a_start_after_a_failed_sync_puts_the_log_onto_the_disk_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (mark, place) = (folder.path().join(SYNCED), || {
        std::os::unix::fs::MetadataExt::ino(&fs::metadata(crash::newest_segment(folder.path())).unwrap())
    });
    {
        let (store, _) = watched(folder.path(), 1);
        let mut log = store.group(1).unwrap();
        append(&mut log, 0..1).await.unwrap();
        assert!(mark.exists());
        append(&mut log, 1..2).await.unwrap_err();
        assert!(!mark.exists());
    }
    let before = place();
    for _ in 0..2 {
        let store = Store::open(folder.path(), OWNER).unwrap();
        assert_eq!(indexes(&mut store.group(1).unwrap()).await, [0]);
        assert!(mark.exists());
    }
    let anew = place();
    assert_ne!(anew, before);
    drop(Store::open(folder.path(), OWNER).unwrap());
    assert_eq!(place(), anew, "once is enough");
}

#[tokio::test]
async fn one_sync_gathers_the_appends_of_all_groups() {
    let folder = tempfile::tempdir().unwrap();
    let (store, batches) = watched(folder.path(), usize::MAX);
    let mut waiting = Vec::new();
    for group in 0..17 {
        let mut log = store.group(group).unwrap();
        for index in 0..20 {
            let (sender, flushed) = TypeConfig::oneshot();
            log.append([entry(index)], IOFlushed::signal(sender)).await.unwrap();
            waiting.push(flushed);
        }
    }
    for flushed in waiting {
        flushed.await.unwrap().unwrap();
    }
    let batches = batches.load(Ordering::SeqCst);
    assert!(batches < 340 / 4, "{batches} syncs for 340 appends");
}
