//! A backup is read back as it was, or refused.

#![allow(clippy::unwrap_used)]

use super::*;

fn archive() -> Archive {
    let header = Header {
        cluster: "000000000000002a".into(),
        version: "0.1.0".into(),
        protocol: 2,
        made_at: 1_795_000_000_000,
        shard_groups: 2,
    };
    let seed = |group: u8| Seed { index: 100 + u64::from(group), state: vec![group; 5] };
    let groups = [(1, seed(1)), (2, seed(2))].into();
    Archive { header, directory: b"directory".to_vec(), groups }
}

/// The archive as a file.
pub(crate) fn written(archive: &Archive) -> Vec<u8> {
    let (mut writer, start) = Writer::begin(&archive.header);
    let directory = writer.directory(&archive.directory);
    let groups: Vec<_> = archive.groups.iter().map(|(group, seed)| writer.group(*group, seed)).collect();
    [&[start, directory][..], &groups, &[writer.end()]].concat().concat()
}

#[test]
fn what_was_written_is_read() {
    assert_eq!(parse(&written(&archive())).unwrap(), archive());
}

#[test]
fn any_changed_or_missing_byte_is_found() {
    let whole = written(&archive());
    for position in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x20;
        assert!(parse(&damaged).is_err(), "byte {position} changed");
        assert!(parse(&whole[..position]).is_err(), "cut at {position}");
    }
    assert!(parse(&[&whole[..], b"x"].concat()).is_err(), "something follows");
}

#[test]
fn another_file_and_a_later_format_are_named() {
    assert!(matches!(parse(b"PK\x03\x04"), Err(Error::NotABackup)));
    let mut later = written(&archive());
    later[4] = 9;
    assert!(parse(&later).unwrap_err().to_string().contains("format 9"));
}
