//! A disk that really fills up, on a small tmpfs. Needs the right to mount; without it the test says so and passes.

use std::process::Command;

use super::*;

struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let disk = Self(folder);
        disk.run("size=4m").then_some(disk)
    }

    fn grow(&self) {
        assert!(self.run("remount,size=512m"));
    }

    fn run(&self, options: &str) -> bool {
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(self.0.path()).output();
        mount.is_ok_and(|output| output.status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_node_and_loses_nothing_acknowledged() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: this test may not mount a tmpfs");
        return;
    };
    let host = open(disk.0.path(), Tuning::default()).await;
    let (full, _) = start(&host, 1).await;
    let (other, _) = start(&host, 2).await;
    lead(&full).await;
    lead(&other).await;
    let mut acknowledged = Vec::new();
    let error = loop {
        let line = format!("{:060000}", acknowledged.len());
        match full.propose(line.clone().into_bytes()).await {
            Ok(_) => acknowledged.push(line),
            Err(error) => break error,
        }
    };
    // All groups end at once then: the command may meet the end before it hears of the disk.
    assert!(matches!(error, Error::Storage(_) | Error::Stopped), "{error}");
    let mut failure = host.watch_failure();
    let reason =
        timeout(Duration::from_secs(10), failure.wait_for(Option::is_some)).await.unwrap().unwrap().clone();
    // Whichever met the end of the disk first: the log itself, or the database's own work behind it.
    let said = |reason: &String| reason.contains("space") || reason.contains("full disk");
    assert!(reason.as_ref().is_some_and(said), "{reason:?} after {error}");
    timeout(Duration::from_secs(10), full.watch_leadership().wait_for(|now| !now.is_leader()))
        .await
        .unwrap()
        .unwrap();
    // A group with nothing to write must not lead on until it is asked.
    let mut idle = other.watch_leadership();
    while idle.changed().await.is_ok() {}
    assert!(other.has_ended() && other.leadership() == Leadership::None);
    let error = other.propose(b"too late".to_vec()).await.unwrap_err();
    assert!(matches!(error, Error::Storage(_) | Error::Stopped), "{error}");
    host.shutdown().await;
    drop((full, other, host));

    disk.grow();
    let host = restart::reopen(disk.0.path(), Tuning::default()).await;
    let (handle, book) = start(&host, 1).await;
    lead(&handle).await;
    let lines = book.lines();
    assert!(lines.starts_with(&acknowledged), "{} of {} are back", lines.len(), acknowledged.len());
    handle.propose(b"again".to_vec()).await.unwrap();
    host.shutdown().await;
}
