//! A group that ends by itself is a failure of the node; one that is stopped is not, and the others go on.

use super::*;

/// Panics at a command that says so.
#[derive(Debug)]
pub(super) struct Fragile(pub(super) Book);

impl StateMachine for Fragile {
    fn apply(&mut self, index: u64, term: u64, payload: &[u8]) -> Vec<u8> {
        assert_ne!(payload, b"break", "the command says so");
        self.0.apply(index, term, payload)
    }

    fn leader_blank(&mut self, index: u64, term: u64) {
        self.0.leader_blank(index, term);
    }

    fn snapshot(&self) -> SnapshotWriter {
        self.0.snapshot()
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.0.restore(bytes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_ends_by_itself_is_told_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let (other, _) = start(&host, 2).await;
    let broken = host.start_group(1, Box::new(Fragile(Book::default())), Alone).await.unwrap();
    host.found_group(1, BTreeMap::from([(1, Peer::default())])).await.unwrap();
    lead(&broken).await;
    lead(&other).await;
    let mut failure = host.watch_failure();
    assert_eq!(*failure.borrow(), None);
    broken.propose(b"break".to_vec()).await.unwrap_err();
    let reason = timeout(Duration::from_secs(10), failure.wait_for(Option::is_some)).await;
    let reason = reason.expect("told within ten seconds").unwrap().clone().unwrap();
    assert!(reason.contains("group 1 has ended"), "{reason}");
    assert_eq!(other.propose(b"one".to_vec()).await.unwrap(), b"1");
    host.shutdown().await;
}

#[tokio::test]
async fn a_group_that_was_stopped_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let (handle, _) = start(&host, 1).await;
    lead(&handle).await;
    let mut leadership = handle.watch_leadership();
    host.stop_group(1).await;
    while leadership.changed().await.is_ok() {}
    host.shutdown().await;
    assert_eq!(*host.watch_failure().borrow(), None);
}
