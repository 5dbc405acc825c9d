//! Records and snapshots that earlier builds wrote are read, and others refused by their version.

#![allow(clippy::unwrap_used)]

#[path = "../../../tests/src/golden.rs"]
mod golden;

use std::collections::BTreeSet;
use std::fs;
use std::io;

use bytes::Bytes;
use openraft::EntryPayload;

use crate::failed::Failed;
use crate::record::{decode, decode_entry, encode, encode_entry};
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
