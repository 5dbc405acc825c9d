//! A store killed at any moment, or cut short as by a power failure, keeps all that it acknowledged.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use openraft::RaftLogReader;

use super::{OWNER, append, entry};
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

pub(super) fn newest_journal(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder.join("log")).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "jnl")).max().unwrap()
}

#[tokio::test]
async fn a_torn_tail_loses_only_what_was_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let safe;
    {
        let store = Store::open(folder.path(), OWNER).unwrap();
        let mut log = store.group(0).unwrap();
        append(&mut log, 0..50).await.unwrap();
        safe = journal_end(&newest_journal(folder.path()));
        append(&mut log, 50..53).await.unwrap();
    }
    let journal = newest_journal(folder.path());
    let whole = fs::read(&journal).unwrap();
    let end = journal_end(&journal);
    assert!(end > safe, "the journal grows with appends");
    // The tail is missing, or, in a journal allocated ahead, zeros. Fjall's debug build asserts on zeros within an
    // item's lengths, so those are tried in the last item's value and the batch's end only.
    for (length, padded) in (safe..end).map(|at| (at, false)).chain((end - 30..end).map(|at| (at, true))) {
        fs::write(&journal, &whole[..length]).unwrap();
        if padded {
            OpenOptions::new().write(true).open(&journal).unwrap().set_len(whole.len() as u64).unwrap();
        }
        assert_eq!(lengths(folder.path()).await[0], 50, "cut at {length} of {end}");
    }
}

/// The journal is allocated ahead: its end is where the zeros begin.
fn journal_end(journal: &Path) -> usize {
    let bytes = fs::read(journal).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}
