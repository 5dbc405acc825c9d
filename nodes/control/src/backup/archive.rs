//! A backup as one file: whole, or known to be damaged.
//!
//! `magic, version`, then parts: `kind, length (8 bytes, big endian), body`. The header comes first (JSON), then the
//! directory, then each shard group (`group, index, state`), and last the SHA-256 of all bytes before its part.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::Path,
};

use bytes::Bytes;
use mangrove_membership::Seed;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 4] = b"MGBK";
const VERSION: u8 = 1;

const HEADER: u8 = b'H';
const DIRECTORY: u8 = b'D';
const GROUP: u8 = b'G';
const END: u8 = b'E';

/// Before a group's state: its number and its index.
const GROUP_HEAD: usize = 12;

/// Where and when a backup was made, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The cluster's incarnation, in hex.
    pub cluster: String,
    /// The build.
    pub version: String,
    /// What the build speaks: see `mangrove_membership::PROTOCOL`.
    pub protocol: u32,
    /// Unix milliseconds.
    pub made_at: u64,
    pub shard_groups: u32,
}

/// All that a backup has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    pub header: Header,
    /// As group 0's snapshots have it.
    pub directory: Vec<u8>,
    /// By group, as the groups' snapshots have them.
    pub groups: BTreeMap<u32, Seed>,
}

/// Why a file is no backup to work with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("can't be read: {0}")]
    Io(#[from] io::Error),
    #[error("is no backup of mangrove")]
    NotABackup,
    #[error("has format {0}, this build reads {VERSION}; restore it with the build that wrote it")]
    Version(u8),
    #[error("is cut short; make the backup again or use another one")]
    CutShort,
    #[error("is damaged: {0}; use another backup")]
    Damaged(&'static str),
}

/// Writes the parts, in their order.
#[derive(Debug)]
pub(super) struct Writer {
    hash: Sha256,
}

impl Writer {
    /// The beginning of the file.
    pub(super) fn begin(header: &Header) -> (Self, Bytes) {
        let mut writer = Self { hash: Sha256::new() };
        let start = [&MAGIC[..], &[VERSION]].concat();
        writer.hash.update(&start);
        let header = serde_json::to_vec(header).unwrap_or_default();
        let part = writer.part(HEADER, &[&header]);
        (writer, [start, part.into()].concat().into())
    }

    pub(super) fn directory(&mut self, directory: &[u8]) -> Bytes {
        self.part(DIRECTORY, &[directory])
    }

    pub(super) fn group(&mut self, group: u32, seed: &Seed) -> Bytes {
        self.part(GROUP, &[&group.to_be_bytes(), &seed.index.to_be_bytes(), &seed.state])
    }

    /// The last part: without it the file is no backup.
    pub(super) fn end(mut self) -> Bytes {
        let sum = self.hash.clone().finalize();
        self.part(END, &[&sum])
    }

    fn part(&mut self, kind: u8, body: &[&[u8]]) -> Bytes {
        let length: usize = body.iter().map(|piece| piece.len()).sum();
        let head = [&[kind][..], &(length as u64).to_be_bytes()].concat();
        let part = [&[&head[..]], body].concat().concat();
        self.hash.update(&part);
        part.into()
    }
}

/// Reads a file and checks it whole.
pub fn read(path: &Path) -> Result<Archive, Error> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.read_to_end(&mut bytes)?;
    parse(&bytes)
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Archive, Error> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(Error::NotABackup)?;
    let (version, mut rest) = rest.split_first().ok_or(Error::CutShort)?;
    if *version != VERSION {
        return Err(Error::Version(*version));
    }
    let (mut header, mut directory, mut groups) = (None, None, BTreeMap::new());
    loop {
        let before = &bytes[..bytes.len() - rest.len()];
        let (kind, body, after) = part(rest)?;
        match kind {
            HEADER => header = Some(body),
            DIRECTORY => directory = Some(body.to_vec()),
            GROUP => groups.extend([group_of(body)?]),
            END => {
                is_whole(before, body, after)?;
                break;
            }
            _ => return Err(Error::Damaged("it has a part of an unknown kind")),
        }
        rest = after;
    }
    let header = header.ok_or(Error::Damaged("it has no header"))?;
    let header = serde_json::from_slice(header).map_err(|_| Error::Damaged("its header can't be read"))?;
    let directory = directory.ok_or(Error::Damaged("it has no directory"))?;
    Ok(Archive { header, directory, groups })
}

/// A part's kind and body, and what follows it.
fn part(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), Error> {
    let (kind, rest) = bytes.split_first().ok_or(Error::CutShort)?;
    let (length, rest) = rest.split_first_chunk::<8>().ok_or(Error::CutShort)?;
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| Error::CutShort)?;
    let (body, after) = rest.split_at_checked(length).ok_or(Error::CutShort)?;
    Ok((*kind, body, after))
}

fn group_of(body: &[u8]) -> Result<(u32, Seed), Error> {
    let (head, state) = body.split_first_chunk::<GROUP_HEAD>().ok_or(Error::CutShort)?;
    let group = u32::from_be_bytes(std::array::from_fn(|at| head[at]));
    let index = u64::from_be_bytes(std::array::from_fn(|at| head[4 + at]));
    Ok((group, Seed { index, state: state.to_vec() }))
}

fn is_whole(before: &[u8], sum: &[u8], after: &[u8]) -> Result<(), Error> {
    if Sha256::digest(before)[..] != *sum {
        return Err(Error::Damaged("its checksum does not match"));
    }
    if after.is_empty() { Ok(()) } else { Err(Error::Damaged("something follows its end")) }
}

#[cfg(test)]
pub(crate) mod tests;
