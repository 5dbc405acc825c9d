//! A store killed at any moment, or cut short as by a power failure, keeps all that it acknowledged.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use openraft::RaftLogReader;

use super::{OWNER, append, entry, segments, written};
use crate::Store;

const FOLDER: &str = "MANGROVE_LOG_CRASH_FOLDER";
const CHILD: &str = "store::tests::crash::appends_until_killed";

/// Not a test: the process that the test below kills. Prints `group index` after each acknowledgement.
#[tokio::test]
#[ignore = "run by acknowledged_entries_survive_kill_nine"]
async fn appends_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = Store::open(Path::new(&folder), OWNER).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for group in 0..4 {
        let mut log = store.group(group).unwrap();
        tasks.spawn(async move {
            let start = log.try_get_log_entries(..).await.unwrap().len() as u64;
            for index in start.. {
                append(&mut log, index..index + 1).await.unwrap();
                println!("acknowledged {group} {index}");
            }
        });
    }
    tasks.join_all().await;
}

fn run_and_kill(folder: &Path, after: usize) -> Vec<(u32, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let parse = |line: String| {
        let mut words = line.split("acknowledged ").nth(1)?.split(' ');
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    let mut acknowledged: Vec<_> = lines.by_ref().filter_map(parse).take(after).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(lines.filter_map(parse));
    acknowledged
}

async fn lengths(folder: &Path) -> Vec<u64> {
    let store = Store::open(folder, OWNER).unwrap();
    let mut lengths = Vec::new();
    for group in 0..4 {
        let entries = store.group(group).unwrap().try_get_log_entries(..).await.unwrap();
        entries.iter().enumerate().for_each(|(index, found)| assert_eq!(*found, entry(index as u64)));
        lengths.push(entries.len() as u64);
    }
    lengths
}

#[tokio::test]
async fn acknowledged_entries_survive_kill_nine() {
    let folder = tempfile::tempdir().unwrap();
    for after in [1, 40, 400, 7] {
        let acknowledged = run_and_kill(folder.path(), after);
        assert!(acknowledged.len() >= after, "the child stopped early");
        let lengths = lengths(folder.path()).await;
        for (group, index) in acknowledged {
            assert!(index < lengths[group as usize], "group {group} lost acknowledged entry {index}");
        }
    }
}

/// Of those that something is written in.
pub(super) fn newest_segment(folder: &Path) -> PathBuf {
    segments(folder).into_iter().rfind(|path| written(path) > 0).unwrap()
}

/// Sectors reach a disk in any order: any may be missing of the frame that was under way.
#[tokio::test]
async fn a_torn_tail_loses_only_what_was_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let safe;
    {
        let store = Store::open(folder.path(), OWNER).unwrap();
        let mut log = store.group(0).unwrap();
        append(&mut log, 0..50).await.unwrap();
        safe = written(&newest_segment(folder.path())).next_multiple_of(32);
        append(&mut log, 50..150).await.unwrap();
    }
    let segment = newest_segment(folder.path());
    let (whole, end) = (fs::read(&segment).unwrap(), written(&segment));
    let mut starts: Vec<_> = (safe..end).filter(|at| *at == safe || at % 512 == 0).collect();
    starts.push(end);
    assert!(starts.len() > 8, "the frame reaches over many sectors");
    for sectors in starts.windows(2) {
        for missing in [sectors[0]..sectors[1], sectors[0]..end, safe..sectors[1]] {
            let mut torn = whole.clone();
            torn[missing.clone()].fill(0);
            fs::write(&segment, torn).unwrap();
            assert_eq!(lengths(folder.path()).await[0], 50, "without {missing:?} of {safe}..{end}");
            assert_eq!(written(&segment).next_multiple_of(32), safe, "what is left of it is cut off");
        }
    }
}

#[tokio::test]
async fn what_something_follows_is_not_torn() {
    let folder = tempfile::tempdir().unwrap();
    let mut ends = Vec::new();
    {
        let store = Store::open(folder.path(), OWNER).unwrap();
        let mut log = store.group(0).unwrap();
        for start in [0, 50, 100] {
            append(&mut log, start..start + 50).await.unwrap();
            ends.push(written(&newest_segment(folder.path())).next_multiple_of(512));
        }
    }
    let segment = newest_segment(folder.path());
    let mut bytes = fs::read(&segment).unwrap();
    bytes[ends[0]..ends[0] + 512].fill(0);
    fs::write(&segment, bytes).unwrap();
    let error = Store::open(folder.path(), OWNER).unwrap_err().to_string();
    assert!(error.contains("0000000001.segment is damaged: it can't be read from byte"), "{error}");
    assert!(error.contains("mangrove replace"), "{error}");
}

#[tokio::test]
async fn a_frame_that_is_lost_whole_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let mut ends = Vec::new();
    {
        let store = Store::open(folder.path(), OWNER).unwrap();
        let mut log = store.group(0).unwrap();
        for entries in [0..100, 100..150, 150..200] {
            append(&mut log, entries).await.unwrap();
            ends.push(written(&newest_segment(folder.path())).next_multiple_of(32));
        }
    }
    let segment = newest_segment(folder.path());
    let mut bytes = fs::read(&segment).unwrap();
    bytes.copy_within(ends[1]..ends[2], ends[0]);
    bytes[ends[1]..].fill(0);
    fs::write(&segment, bytes).unwrap();
    let error = Store::open(folder.path(), OWNER).unwrap_err().to_string();
    assert!(error.contains("in place of"), "{error}");
}
