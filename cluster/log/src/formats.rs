//! Records and snapshots that earlier builds wrote are read, and others refused by their version.

#![allow(clippy::unwrap_used)]

#[path = "../../../tests/src/golden.rs"]
mod golden;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use openraft::EntryPayload;

use crate::change::Change;
use crate::disk::Disk;
use crate::failed::Failed;
use crate::record::{VOTE, decode, decode_entry, encode, encode_entry};
use crate::segments::{self, Frame, SegmentDisk};
use crate::snapshots::Snapshots;
use crate::types::{Entry, LogId, Membership, Payload, Peer, SnapshotMeta, StoredMembership, Vote};
use crate::{Owner, StoredSnapshot};

fn membership() -> Membership {
    let peer = |node: u64| (node, Peer::new(format!("10.0.0.{node}:7400")));
    Membership::new(
        vec![BTreeSet::from([1, 2]), BTreeSet::from([2, 3])],
        [1, 2, 3, 4].map(peer).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
    )
    .unwrap()
}

fn entry(payload: EntryPayload<Payload, u64, Peer>) -> Entry {
    Entry { log_id: LogId::new_term_index(7, 300), payload }
}

#[test]
fn entries_of_every_kind() {
    let read = |bytes: &[u8]| decode_entry(300, bytes);
    let write = |entry: &Entry| encode_entry(entry).unwrap();
    let kinds = [
        ("entry-blank-1.bin", entry(EntryPayload::Blank)),
        ("entry-command-1.bin", entry(EntryPayload::Normal(Payload(Bytes::from_static(b"command"))))),
        ("entry-membership-1.bin", entry(EntryPayload::Membership(membership()))),
    ];
    for (name, expected) in kinds {
        let kept = golden::check(&[name], || expected.clone(), read, write);
        assert_eq!(kept, expected, "{name}");
        let mut later = write(&expected);
        later[0] = 9;
        assert!(read(&later).unwrap_err().to_string().contains("version 9"), "{name}");
    }
}

#[test]
fn votes_positions_and_the_owner() {
    let vote = golden::check(
        &["vote-1.bin"],
        || Vote::new_committed(7, 2),
        decode::<Vote>,
        |vote| encode(vote).unwrap(),
    );
    assert_eq!(vote, Vote::new_committed(7, 2));
    let purged = LogId::new_term_index(7, 300);
    let position = Some(purged);
    let read = decode::<Option<LogId>>;
    assert_eq!(golden::check(&["committed-1.bin"], || position, read, |at| encode(at).unwrap()), position);
    let kept = golden::check(&["purged-1.bin"], || purged, decode::<LogId>, |at| encode(at).unwrap());
    assert_eq!(kept, purged);
    let owner = Owner { incarnation: 42, node: 3 };
    assert_eq!(golden::check(&["owner-1.bin"], || owner, decode::<Owner>, |one| encode(one).unwrap()), owner);
}

/// As the first segment of a log.
fn read_segment(bytes: &[u8]) -> io::Result<(Vote, Vec<Entry>)> {
    let folder = tempfile::tempdir()?;
    drop(open_segments(folder.path()));
    fs::write(folder.path().join("0000000001.segment"), [bytes, &[0; 4096]].concat())?;
    let segments = open_segments(folder.path()).segments();
    let vote = decode(&segments.record(5, VOTE).unwrap())?;
    let (first, last) = segments.extent(5)?.unwrap();
    Ok((vote, segments.read(5, first..last.index + 1, usize::MAX)?))
}

fn open_segments(folder: &Path) -> SegmentDisk {
    SegmentDisk::open(folder, segments::lock(folder).unwrap(), false).unwrap()
}

/// With an entry before these that is removed again.
fn write_segment((vote, entries): &(Vote, Vec<Entry>)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut disk = open_segments(folder.path());
    let of = |entry: &Entry| Change::Entry { group: 5, entry: entry.clone() };
    let before = Entry { log_id: LogId::new_term_index(7, 299), payload: EntryPayload::Blank };
    disk.commit(vec![Change::Record { group: 5, key: VOTE, value: encode(vote).unwrap() }, of(&before)])
        .unwrap();
    disk.commit(entries.iter().map(of).collect()).unwrap();
    disk.commit(vec![Change::Removed { group: 5, range: 299..300 }]).unwrap();
    let mut bytes = fs::read(folder.path().join("0000000001.segment")).unwrap();
    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1);
    bytes
}

#[test]
fn segments_of_a_log() {
    let entries = vec![entry(EntryPayload::Normal(Payload(Bytes::from_static(b"command"))))];
    let expected = (Vote::new_committed(7, 2), entries);
    let kept = golden::check(&["segment-1.bin"], || expected.clone(), read_segment, write_segment);
    assert_eq!(kept, expected);
}

#[test]
fn a_frame_of_a_later_build_is_refused_by_its_version() {
    let mut frame = Frame::default();
    let mut later = frame.seal(1, 0).unwrap().to_vec();
    later[3] = 9;
    let checksum = crc32fast::hash(&later[..28]);
    later[28..32].copy_from_slice(&checksum.to_be_bytes());
    let folder = tempfile::tempdir().unwrap();
    drop(open_segments(folder.path()));
    fs::write(folder.path().join("0000000001.segment"), later).unwrap();
    let error =
        SegmentDisk::open(folder.path(), segments::lock(folder.path()).unwrap(), false).err().unwrap();
    assert!(error.to_string().contains("version 9"), "{error}");
}

/// As a file of its own in a folder of its own.
fn read_snapshot(bytes: &[u8]) -> io::Result<StoredSnapshot> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("00000000000000000300.snapshot"), bytes)?;
    Ok(Snapshots::open(folder.path(), Failed::new(|| {}))?.load()?.unwrap())
}

fn write_snapshot(StoredSnapshot { meta, state }: &StoredSnapshot) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    Snapshots::open(folder.path(), Failed::new(|| {})).unwrap().save(meta, state).unwrap();
    let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
    fs::read(file.path()).unwrap()
}

#[test]
fn snapshots() {
    let position = Some(LogId::new_term_index(7, 300));
    let last_membership = StoredMembership::new(Some(LogId::new_term_index(2, 9)), membership());
    let meta = SnapshotMeta { last_log_id: position, last_membership };
    let expected = StoredSnapshot { meta, state: b"state".to_vec() };
    let kept = golden::check(&["snapshot-1.bin"], || expected.clone(), read_snapshot, write_snapshot);
    assert_eq!(kept, expected);
    let mut later = write_snapshot(&expected);
    later[4] = 9;
    assert!(read_snapshot(&later).unwrap_err().to_string().contains("version 9"));
}
