//! A flipped bit anywhere in what is written is found: the store is refused, or reading ends with an error. Never is anything
//! acknowledged missing or another one.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::type_config::TypeConfigExt;
use openraft::{EntryPayload, RaftLogReader};

use super::{OWNER, segments, written};
use crate::Store;
use crate::types::{Entry, LogId, Payload, TypeConfig, Vote};

/// Enough for a second segment.
const ENTRIES: u64 = 60;
const BYTES: usize = 20_000;

fn entry(index: u64) -> Entry {
    // As they come: nothing that would shrink.
    let noise =
        (0..BYTES as u64).map(|at| ((index * 7_919 + at).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8);
    let payload = Payload(Bytes::from_iter(noise));
    Entry { log_id: LogId::new_term_index(1, index), payload: EntryPayload::Normal(payload) }
}

async fn write(folder: &Path) {
    let store = Store::open(folder, OWNER).unwrap();
    let mut log = store.group(1).unwrap();
    log.save_vote(&Vote::new_committed(1, 1)).await.unwrap();
    for index in 0..ENTRIES {
        let (sender, flushed) = TypeConfig::oneshot();
        log.append([entry(index)], IOFlushed::signal(sender)).await.unwrap();
        flushed.await.unwrap().unwrap();
    }
}

/// What the store says of itself: an error, or all that was acknowledged.
async fn read(folder: &Path) -> Result<(Option<Vote>, Vec<Entry>), String> {
    let store = Store::open(folder, OWNER).map_err(|error| error.to_string())?;
    let mut log = store.group(1).map_err(|error| error.to_string())?;
    let vote = log.read_vote().await.map_err(|error| error.to_string())?;
    let entries = log.try_get_log_entries(0..ENTRIES).await.map_err(|error| error.to_string())?;
    Ok((vote, entries))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

/// Bytes to be hit: the beginning, more of where small records are, the end, and some between.
fn places(length: usize) -> Vec<usize> {
    let step = (length / 12).max(1);
    let mut places: Vec<_> = (0..length.min(24)).chain((24..length).step_by(step)).collect();
    places.extend((24..length.min(300)).step_by(9));
    places.extend(length.saturating_sub(16)..length);
    places.sort_unstable();
    places.dedup();
    places
}

#[tokio::test]
async fn a_flipped_bit_anywhere_in_the_log_is_found() {
    let origin = tempfile::tempdir().unwrap();
    write(origin.path()).await;
    let whole = read(origin.path()).await.unwrap();
    assert_eq!(whole.1.len() as u64, ENTRIES);
    assert!(segments(origin.path()).iter().filter(|path| written(path) > 0).count() > 1);
    for file in segments(origin.path()).into_iter().chain([origin.path().join("log/version")]) {
        let (name, end) = (file.strip_prefix(origin.path()).unwrap(), written(&file));
        let length = fs::metadata(&file).unwrap().len() as usize;
        for place in places(end).into_iter().chain(places(length).into_iter().filter(|place| *place > end)) {
            let folder = tempfile::tempdir().unwrap();
            copy(origin.path(), folder.path());
            let mut bytes = fs::read(&file).unwrap();
            bytes[place] ^= 1 << (place % 8);
            fs::write(folder.path().join(name), bytes).unwrap();
            match read(folder.path()).await {
                Err(_) => {}
                // What was never written says nothing.
                Ok(read) => assert!(
                    place >= end && read == whole,
                    "byte {place} of {} went unnoticed",
                    name.display()
                ),
            }
        }
    }
}

#[tokio::test]
async fn a_segment_that_is_gone_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path()).await;
    fs::rename(&segments(folder.path())[0], folder.path().join("kept")).unwrap();
    let error = read(folder.path()).await.unwrap_err();
    assert!(error.contains("entry"), "{error}");
    fs::rename(folder.path().join("kept"), folder.path().join("log/0000000009.segment")).unwrap();
    let error = read(folder.path()).await.unwrap_err();
    assert!(error.contains("the segment before it is missing"), "{error}");
}
