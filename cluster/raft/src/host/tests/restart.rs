//! What is back after a restart, and how soon.

use std::time::{Duration, Instant};

use super::*;

pub(super) async fn reopen(folder: &Path, tuning: Tuning) -> GroupHost {
    // openraft's last tasks let go of the disk shortly after the shutdown.
    for _ in 0..100 {
        match Store::open(folder, OWNER) {
            Ok(store) => return GroupHost::new(store, OWNER, tuning),
            Err(mangrove_log::Error::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the disk was never let go of");
}

#[tokio::test]
async fn state_is_back_and_led_again_without_an_election_time() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let (handle, _) = start(&host, 1).await;
    let Leadership::Leader { fence: before, .. } = lead(&handle).await else { panic!("leads") };
    for number in 0..20 {
        handle.propose(number.to_string().into_bytes()).await.unwrap();
    }
    host.shutdown().await;
    drop(handle);

    // Who waits for an election takes longer than five seconds.
    let tuning = Tuning { lease: Duration::from_secs(10), ..Tuning::default() };
    let host = reopen(folder.path(), tuning).await;
    let started = Instant::now();
    let (handle, book) = start(&host, 1).await;
    let Leadership::Leader { fence: after, .. } = lead(&handle).await else { panic!("leads") };
    assert!(started.elapsed() < Duration::from_secs(5), "took {:?}", started.elapsed());
    assert_eq!(book.lines(), (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(after > before && after.term > before.term, "{after:?} after {before:?}");
    assert_eq!(handle.propose(b"more".to_vec()).await.unwrap(), b"21");
    host.shutdown().await;
}

#[tokio::test]
async fn a_snapshot_and_the_log_after_it_make_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let tuning = Tuning { snapshot_every: 100, keep_entries: 10, ..Tuning::default() };
    let host = open(folder.path(), tuning.clone()).await;
    let (handle, _) = start(&host, 1).await;
    lead(&handle).await;
    for number in 0..350 {
        handle.propose(number.to_string().into_bytes()).await.unwrap();
    }
    wait_until("the log is purged", || handle.status().purged > 100).await;
    let status = handle.status();
    assert!(status.snapshot >= status.purged, "{status:?}");
    host.shutdown().await;
    drop(handle);

    let host = reopen(folder.path(), tuning).await;
    let (handle, book) = start(&host, 1).await;
    lead(&handle).await;
    assert_eq!(book.lines(), (0..350).map(|number| number.to_string()).collect::<Vec<_>>());
    host.shutdown().await;
}

async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
