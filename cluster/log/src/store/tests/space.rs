//! What the log takes on the disk stays within bounds, and the next start finds all of it.

use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;
use openraft::EntryPayload;
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::type_config::TypeConfigExt;

use super::*;

const MEGABYTE: u64 = 1 << 20;
const BYTES: usize = 64 << 10;

async fn append_long(log: &mut GroupLog, indexes: Range<u64>) {
    let long = |index| {
        let payload = Payload(Bytes::from(vec![index as u8; BYTES]));
        Entry { log_id: LogId::new_term_index(1, index), payload: EntryPayload::Normal(payload) }
    };
    let (sender, flushed) = TypeConfig::oneshot();
    log.append(indexes.map(long), IOFlushed::signal(sender)).await.unwrap();
    flushed.await.unwrap().unwrap();
}

fn taken(folder: &Path) -> u64 {
    segments(folder).iter().filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum()
}

async fn until_taken(folder: &Path, limit: u64) {
    let started = Instant::now();
    while taken(folder) > limit {
        assert!(started.elapsed() < Duration::from_secs(10), "{} bytes are taken", taken(folder));
        tokio::task::yield_now().await;
    }
}

/// Of a busy group nearly nothing lives, of a quiet one, whose entries lie between those, everything.
#[tokio::test]
async fn a_quiet_group_does_not_hold_a_busy_ones_segments() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = 0..400;
    {
        let store = Store::open(folder.path(), OWNER).unwrap();
        let (mut busy, mut calm) = (store.group(1).unwrap(), store.group(2).unwrap());
        calm.save_vote(&Vote::new_committed(1, 1)).await.unwrap();
        for round in 0..200 {
            append(&mut calm, round * 2..round * 2 + 2).await.unwrap();
            append_long(&mut busy, round * 16..round * 16 + 16).await;
            busy.purge(LogId::new_term_index(1, round * 16 + 12)).await.unwrap();
            // Three of the largest, one made ahead and one being left.
            until_taken(folder.path(), 5 * 16 * MEGABYTE).await;
        }
        assert_eq!(indexes(&mut calm).await, quiet.clone().collect::<Vec<_>>());
    }
    let store = Store::open(folder.path(), OWNER).unwrap();
    let mut calm = store.group(2).unwrap();
    assert_eq!(indexes(&mut calm).await, quiet.collect::<Vec<_>>());
    assert_eq!(calm.read_vote().await.unwrap(), Some(Vote::new_committed(1, 1)), "written once, long ago");
    let busy = store.group(1).unwrap().try_get_log_entries(..).await.unwrap();
    assert_eq!(busy.iter().map(|entry| entry.log_id.index).collect::<Vec<_>>(), [3197, 3198, 3199]);
    assert!(!segments(folder.path())[0].ends_with("0000000001.segment"));
}

/// A batch is never divided.
#[tokio::test]
async fn a_batch_longer_than_a_segment_gets_one_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = Store::open(folder.path(), OWNER).unwrap();
        append_long(&mut store.group(1).unwrap(), 0..500).await;
        append_long(&mut store.group(1).unwrap(), 500..501).await;
    }
    let store = Store::open(folder.path(), OWNER).unwrap();
    assert_eq!(store.group(1).unwrap().try_get_log_entries(..).await.unwrap().len(), 501);
}
