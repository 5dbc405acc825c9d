//! Groups on one node: openraft's own storage suite, many groups at once, restarts, failing disks.

#![allow(clippy::unwrap_used)]

mod disk_full;
mod ended;
mod restart;
mod snapshot;
mod suite;
mod underway;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::alone::Alone;
use crate::leadership::Leadership;
use crate::machine::{SnapshotError, SnapshotWriter};

pub(super) const OWNER: Owner = Owner { incarnation: 7, node: 1 };

/// Keeps every command and answers with how many there are. The test keeps a view of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    lines: Arc<Mutex<Vec<String>>>,
    blanks: Arc<Mutex<Vec<(u64, u64)>>>,
}

impl Book {
    pub(super) fn lines(&self) -> Vec<String> {
        lock(&self.lines).clone()
    }
}

impl StateMachine for Book {
    fn apply(&mut self, _index: u64, _term: u64, payload: &[u8]) -> Vec<u8> {
        let mut lines = lock(&self.lines);
        lines.push(String::from_utf8_lossy(payload).into());
        lines.len().to_string().into_bytes()
    }

    fn leader_blank(&mut self, index: u64, term: u64) {
        lock(&self.blanks).push((index, term));
    }

    fn snapshot(&self) -> SnapshotWriter {
        let lines = self.lines();
        Box::new(move || Ok(lines.join("\n").into_bytes()))
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let text = std::str::from_utf8(bytes).map_err(SnapshotError::new)?;
        *lock(&self.lines) = text.lines().map(String::from).collect();
        Ok(())
    }
}

pub(super) async fn open(folder: &Path, tuning: Tuning) -> GroupHost {
    GroupHost::new(Store::open(folder, OWNER).unwrap(), OWNER, tuning)
}

pub(super) async fn start(host: &GroupHost, group: GroupId) -> (Handle, Book) {
    let book = Book::default();
    let handle = host.start_group(group, Box::new(book.clone()), Alone).await.unwrap();
    host.found_group(group, BTreeMap::from([(1, Peer::default())])).await.unwrap();
    (handle, book)
}

pub(super) async fn lead(handle: &Handle) -> Leadership {
    let mut leadership = handle.watch_leadership();
    let led = timeout(Duration::from_secs(10), leadership.wait_for(Leadership::is_leader)).await;
    *led.expect("the group leads within ten seconds").unwrap()
}

#[tokio::test]
async fn a_proposal_is_answered_by_the_state_machine() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let (handle, book) = start(&host, 1).await;
    let Leadership::Leader { term, fence } = lead(&handle).await else { panic!("leads") };
    assert_eq!((fence.incarnation, fence.term), (OWNER.incarnation, term));
    assert_eq!(*lock(&book.blanks), [(fence.index, term)]);
    assert_eq!(handle.propose(b"one".to_vec()).await.unwrap(), b"1");
    assert_eq!(handle.propose(b"two".to_vec()).await.unwrap(), b"2");
    assert_eq!(book.lines(), ["one", "two"]);
    assert_eq!(handle.linearizable().await.unwrap(), handle.last_applied());
    let status = handle.status();
    assert_eq!((status.state, status.voters), ("leader", vec![1]));
    host.shutdown().await;
}

#[tokio::test]
async fn proposals_of_one_task_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let (handle, book) = start(&host, 1).await;
    lead(&handle).await;
    let proposals = (0..500).map(|number| handle.propose(number.to_string().into_bytes()));
    futures::future::try_join_all(proposals).await.unwrap();
    assert_eq!(book.lines(), (0..500).map(|number| number.to_string()).collect::<Vec<_>>());
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seventeen_groups_take_proposals_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let mut tasks = tokio::task::JoinSet::new();
    let mut books = Vec::new();
    for group in 0..17 {
        let (handle, book) = start(&host, group).await;
        books.push(book);
        tasks.spawn(async move {
            lead(&handle).await;
            for number in 0..50 {
                handle.propose(format!("{group}.{number}").into_bytes()).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    for (group, book) in books.iter().enumerate() {
        assert_eq!(book.lines(), (0..50).map(|number| format!("{group}.{number}")).collect::<Vec<_>>());
    }
    assert_eq!(host.groups(), (0..17).collect::<Vec<_>>());
    host.shutdown().await;
}

#[tokio::test]
async fn a_stopped_group_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let (handle, _) = start(&host, 1).await;
    lead(&handle).await;
    let mut leadership = handle.watch_leadership();
    host.stop_group(1).await;
    timeout(Duration::from_secs(10), leadership.wait_for(|now| *now == Leadership::None))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(handle.propose(b"late".to_vec()).await, Err(Error::Stopped));
    assert!(host.handle(1).is_none());
    host.shutdown().await;
}
