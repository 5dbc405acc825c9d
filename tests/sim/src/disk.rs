//! A disk that forgets what was not synced when its node is killed, takes its time, and fails when the plan says so.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use mangrove_raft::{
    GroupId,
    disk::{Medium, Op, SnapshotMeta, StoredSnapshot},
};
use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::time::sleep;

/// A lying disk writes what it has acknowledged so long after.
const LATE: Duration = Duration::from_millis(400);

type Records = BTreeMap<(GroupId, Vec<u8>), Vec<u8>>;

/// Clones are the same disk; it outlives the node's processes.
#[derive(Debug, Clone)]
pub(crate) struct SimDisk(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    /// What a power cut leaves.
    safe: Records,
    /// What the process reads.
    seen: Records,
    snapshots: BTreeMap<GroupId, (SnapshotMeta, Vec<u8>)>,
    /// Under way: a power cut leaves all of it or nothing.
    writing: Option<Vec<Op>>,
    /// Acknowledged and not safe: a lying disk's.
    unsafe_yet: Vec<Vec<Op>>,
    lies: bool,
    fails: bool,
    sync_ms: u64,
    chance: StdRng,
}

impl SimDisk {
    /// An empty one. One that lies acknowledges before it has synced.
    pub(crate) fn new(seed: u64, lies: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            safe: Records::new(),
            seen: Records::new(),
            snapshots: BTreeMap::new(),
            writing: None,
            unsafe_yet: Vec::new(),
            lies,
            fails: false,
            sync_ms: 1,
            chance: StdRng::seed_from_u64(seed),
        })))
    }

    /// What a sync takes from now on, at most.
    pub(crate) fn set_sync(&self, ms: u64) {
        self.0.lock().sync_ms = ms;
    }

    /// The next sync fails.
    pub(crate) fn fail(&self) {
        self.0.lock().fails = true;
    }

    /// The process is gone and the power with it: what was not safe is lost.
    pub(crate) fn cut(&self) {
        let inner = &mut *self.0.lock();
        if inner.lies {
            inner.unsafe_yet.clear();
        }
        if let Some(ops) = inner.writing.take().filter(|_| inner.chance.random_bool(0.5)) {
            write(&mut inner.safe, ops);
        }
        inner.seen = inner.safe.clone();
        inner.fails = false;
    }

    fn begin(&self, ops: &[Op]) -> u64 {
        let inner = &mut *self.0.lock();
        inner.writing = Some(ops.to_vec());
        inner.chance.random_range(0..=inner.sync_ms)
    }

    fn end(&self, ops: Vec<Op>) -> io::Result<bool> {
        let inner = &mut *self.0.lock();
        inner.writing = None;
        if std::mem::take(&mut inner.fails) {
            return Err(io::Error::other("sync failed: input/output error"));
        }
        write(&mut inner.seen, ops.clone());
        if inner.lies {
            inner.unsafe_yet.push(ops);
        } else {
            write(&mut inner.safe, ops);
        }
        Ok(inner.lies)
    }

    /// What a lying disk does when nobody looks.
    async fn catch_up(self) {
        sleep(LATE).await;
        let inner = &mut *self.0.lock();
        if !inner.unsafe_yet.is_empty() {
            let ops = inner.unsafe_yet.remove(0);
            write(&mut inner.safe, ops);
        }
    }
}

fn write(records: &mut Records, ops: Vec<Op>) {
    for op in ops {
        match op {
            Op::Put { group, key, value } => drop(records.insert((group, key), value)),
            Op::Remove { group, key } => drop(records.remove(&(group, key))),
        }
    }
}

impl Medium for SimDisk {
    fn commit(&self, ops: Vec<Op>) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            match self.begin(&ops) {
                0 => {}
                ms => sleep(Duration::from_millis(ms)).await,
            }
            if self.end(ops)? {
                tokio::spawn(self.clone().catch_up());
            }
            Ok(())
        })
    }

    fn get(&self, group: GroupId, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().seen.get(&(group, key.to_vec())).cloned())
    }

    fn range(&self, group: GroupId, keys: Range<&[u8]>) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let keys = (group, keys.start.to_vec())..(group, keys.end.to_vec());
        let inner = self.0.lock();
        Ok(inner.seen.range(keys).map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn save(&self, group: GroupId, meta: &SnapshotMeta, state: &[u8]) -> io::Result<()> {
        let inner = &mut *self.0.lock();
        let newer = |(kept, _): &(SnapshotMeta, Vec<u8>)| kept.last_log_id >= meta.last_log_id;
        if !inner.snapshots.get(&group).is_some_and(newer) {
            inner.snapshots.insert(group, (meta.clone(), state.to_vec()));
        }
        Ok(())
    }

    fn load(&self, group: GroupId) -> io::Result<Option<StoredSnapshot>> {
        let inner = self.0.lock();
        let stored = |(meta, state): &(SnapshotMeta, Vec<u8>)| StoredSnapshot {
            meta: meta.clone(),
            state: state.clone(),
        };
        Ok(inner.snapshots.get(&group).map(stored))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn put(value: u8) -> Vec<Op> {
        vec![Op::Put { group: 1, key: b"key".to_vec(), value: vec![value] }]
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_acknowledged_survives_a_power_cut_unless_the_disk_lies() {
        for lies in [false, true] {
            let disk = SimDisk::new(1, lies);
            disk.commit(put(1)).await.unwrap();
            assert!(disk.get(1, b"key").unwrap().is_some(), "the process reads what it wrote");
            disk.cut();
            assert_eq!(disk.get(1, b"key").unwrap().is_some(), !lies, "lies: {lies}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lie_is_made_good_after_a_while() {
        let disk = SimDisk::new(1, true);
        disk.commit(put(1)).await.unwrap();
        sleep(2 * LATE).await;
        disk.commit(put(2)).await.unwrap();
        disk.cut();
        assert_eq!(disk.get(1, b"key").unwrap(), Some(vec![1]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_under_way_is_there_whole_or_not_at_all() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..64 {
            let disk = SimDisk::new(seed, false);
            disk.commit(put(1)).await.unwrap();
            disk.begin(&put(2));
            disk.cut();
            seen.insert(disk.get(1, b"key").unwrap().unwrap()[0]);
        }
        assert_eq!(seen, [1, 2].into());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_sync_keeps_nothing() {
        let disk = SimDisk::new(1, false);
        disk.fail();
        assert!(disk.commit(put(1)).await.is_err());
        assert_eq!(disk.get(1, b"key").unwrap(), None);
    }
}
