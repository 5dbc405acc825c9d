//! The bytes of one stored record. Every record starts with its version, so that a later build can read an earlier one.
//!
//! An entry is `version, kind, term (8 bytes), body`; its index is its key. The small records (vote, positions) are
//! `version` and MessagePack.

use std::io;

use bytes::Bytes;
use openraft::EntryPayload;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::types::{Entry, GroupId, LogId, Payload};

const VERSION: u8 = 1;
const BLANK: u8 = 0;
const COMMAND: u8 = 1;
const MEMBERSHIP: u8 = 2;
const HEAD: usize = 10;

pub(crate) const VOTE: &[u8] = b"vote";
pub(crate) const COMMITTED: &[u8] = b"committed";
pub(crate) const PURGED: &[u8] = b"purged";
/// Group 0 has it: whose disk this is.
pub(crate) const OWNER: &[u8] = b"owner";

/// Keys of entries sort by index and never meet the small records' names.
pub(crate) fn entry_key(index: u64) -> [u8; 9] {
    let mut key = [b'e'; 9];
    key[1..].copy_from_slice(&index.to_be_bytes());
    key
}

pub(crate) fn index_of(key: &[u8]) -> io::Result<u64> {
    match key.split_first() {
        Some((b'e', index)) if index.len() == 8 => {
            Ok(index.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
        }
        _ => Err(invalid(format!("not an entry's key: {key:?}"))),
    }
}

pub(crate) fn encode_entry(entry: &Entry) -> io::Result<Vec<u8>> {
    let mut record = Vec::new();
    write_entry(entry, &mut record)?;
    Ok(record)
}

/// Puts the record behind what is there.
pub(crate) fn write_entry(entry: &Entry, into: &mut Vec<u8>) -> io::Result<()> {
    let kind = match &entry.payload {
        EntryPayload::Blank => BLANK,
        EntryPayload::Normal(_) => COMMAND,
        EntryPayload::Membership(_) => MEMBERSHIP,
    };
    into.extend([VERSION, kind]);
    into.extend(entry.log_id.committed_leader_id().term.to_be_bytes());
    match &entry.payload {
        EntryPayload::Blank => {}
        EntryPayload::Normal(payload) => into.extend_from_slice(&payload.0),
        EntryPayload::Membership(membership) => {
            rmp_serde::encode::write_named(into, membership).map_err(invalid)?;
        }
    }
    Ok(())
}

pub(crate) fn decode_entry(index: u64, record: &[u8]) -> io::Result<Entry> {
    let (head, body) =
        record.split_at_checked(HEAD).ok_or_else(|| invalid(format!("entry {index} is cut short")))?;
    known_version(head[0])?;
    let term = head[2..].iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let payload = match head[1] {
        BLANK => EntryPayload::Blank,
        COMMAND => EntryPayload::Normal(Payload(Bytes::copy_from_slice(body))),
        MEMBERSHIP => EntryPayload::Membership(rmp_serde::from_slice(body).map_err(invalid)?),
        kind => return Err(invalid(format!("entry {index} is of unknown kind {kind}"))),
    };
    Ok(Entry { log_id: LogId::new_term_index(term, index), payload })
}

pub(crate) fn encode<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let mut record = vec![VERSION];
    rmp_serde::encode::write_named(&mut record, value).map_err(invalid)?;
    Ok(record)
}

pub(crate) fn decode<T: DeserializeOwned>(record: &[u8]) -> io::Result<T> {
    let (version, body) = record.split_first().ok_or_else(|| invalid("empty record"))?;
    known_version(*version)?;
    rmp_serde::from_slice(body).map_err(invalid)
}

/// An entry that should be there is not.
pub(crate) fn hole(group: GroupId, index: u64) -> io::Error {
    invalid(format!("entry {index} of group {group} is missing from the log"))
}

pub(crate) fn invalid(reason: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string())
}

fn known_version(version: u8) -> io::Result<()> {
    if version == VERSION {
        return Ok(());
    }
    Err(invalid(format!("record version {version} is unknown to this build, which knows {VERSION}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::types::{Membership, Vote};

    #[test]
    fn an_entry_of_each_kind_comes_back_as_it_was() {
        let membership = Membership::new_with_defaults(vec![BTreeSet::from([1, 2])], [3]);
        let payloads = [
            EntryPayload::Blank,
            EntryPayload::Normal(Payload(Bytes::from_static(b"command"))),
            EntryPayload::Normal(Payload(Bytes::new())),
            EntryPayload::Membership(membership),
        ];
        for payload in payloads {
            let entry = Entry { log_id: LogId::new_term_index(7, 300), payload };
            let record = encode_entry(&entry).unwrap();
            assert_eq!(decode_entry(300, &record).unwrap(), entry);
        }
    }

    #[test]
    fn a_record_of_another_version_is_refused_by_its_number() {
        let mut record = encode(&Vote::new(3, 1)).unwrap();
        assert_eq!(decode::<Vote>(&record).unwrap(), Vote::new(3, 1));
        record[0] = 9;
        assert!(decode::<Vote>(&record).unwrap_err().to_string().contains("version 9"));
    }

    #[test]
    fn damage_is_an_error_not_a_panic() {
        for record in
            [&[][..], &[1, 1], &[1, 9, 0, 0, 0, 0, 0, 0, 0, 1], &[1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0xc1]]
        {
            assert!(decode_entry(1, record).is_err(), "{record:?}");
        }
        assert!(index_of(b"vote").is_err());
        assert_eq!(index_of(&entry_key(u64::MAX - 1)).unwrap(), u64::MAX - 1);
    }
}
