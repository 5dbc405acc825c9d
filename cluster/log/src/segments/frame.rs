//! A frame: what one sync puts onto the disk, whole or not at all.
//!
//! `"MGL", version, length (4 bytes, all of the frame), number (8), sectors of zeros (4), of zeros but for one byte (4),
//! checksum of what follows the head (4), checksum of the head (4)`, then operations (`op.rs`) and zeros up to a multiple of 32 bytes. Numbers go up by one
//! from frame to frame, through all segments. A head never reaches over the end of a sector, so it is there whole or not.

use std::io;
use std::ops::Range;

use crate::record::invalid;

pub(super) const SECTOR: usize = 512;
const ALIGN: usize = 32;
/// Where a frame's operations begin in it.
pub(super) const HEAD: usize = 32;
const MAGIC: &[u8; 3] = b"MGL";
const VERSION: u8 = 1;

/// A frame in the making. Its buffer is used again for the next one.
#[derive(Debug)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
}

impl Default for Frame {
    fn default() -> Self {
        Self { bytes: vec![0; HEAD] }
    }
}

impl Frame {
    /// Forgets what is in it.
    pub(super) fn clear(&mut self) {
        self.bytes.truncate(HEAD);
    }

    /// Where operations are put, one behind the other.
    pub(super) fn operations(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == HEAD
    }

    /// What it takes on the disk.
    pub(super) fn length(&self) -> usize {
        self.bytes.len().next_multiple_of(ALIGN)
    }

    /// The bytes for the place `at` of a file, a multiple of 32.
    pub(crate) fn seal(&mut self, number: u64, at: usize) -> io::Result<&[u8]> {
        let length = self.length();
        let stated = u32::try_from(length).map_err(|_| invalid("a batch of more than 4 GiB"))?;
        self.bytes.resize(length, 0);
        let (head, body) = self.bytes.split_at_mut(HEAD);
        head[..3].copy_from_slice(MAGIC);
        head[3] = VERSION;
        head[4..8].copy_from_slice(&stated.to_be_bytes());
        head[8..16].copy_from_slice(&number.to_be_bytes());
        head[24..28].copy_from_slice(&crc32fast::hash(body).to_be_bytes());
        let Blank { zero, single } = Blank::count(&self.bytes, at);
        self.bytes[16..20].copy_from_slice(&zero.to_be_bytes());
        self.bytes[20..24].copy_from_slice(&single.to_be_bytes());
        let checksum = crc32fast::hash(&self.bytes[..28]);
        self.bytes[28..HEAD].copy_from_slice(&checksum.to_be_bytes());
        Ok(&self.bytes)
    }
}

/// How many sectors of a frame look as if they had never been written, or would but for one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blank {
    zero: u32,
    single: u32,
}

impl Blank {
    /// Of the bytes of a frame that is at `at` of its file.
    pub(super) fn count(frame: &[u8], at: usize) -> Self {
        let mut count = Self { zero: 0, single: 0 };
        for portion in portions(frame, at) {
            match portion.iter().filter(|byte| **byte != 0).take(2).count() {
                0 => count.zero += 1,
                1 => count.single += 1,
                _ => {}
            }
        }
        count
    }

    /// Whether sectors are missing in what was found so: one changed byte would make one number or the other grow, never
    /// both that of zeros and that of them all.
    pub(super) fn lacks_of(self, written: Self) -> bool {
        self.zero > written.zero && self.zero + self.single > written.zero + written.single
    }
}

/// A frame's head as found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) version: u8,
    pub(super) length: usize,
    pub(super) number: u64,
    pub(super) blank: Blank,
    checksum: u32,
}

impl Head {
    /// The head that these bytes begin with, if it is one and whole.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<HEAD>()?;
        let number =
            |range: Range<usize>| head[range].iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        let is_whole = head[..3] == *MAGIC && number(28..HEAD) == u64::from(crc32fast::hash(&head[..28]));
        is_whole.then(|| Self {
            version: head[3],
            length: number(4..8) as usize,
            number: number(8..16),
            blank: Blank { zero: number(16..20) as u32, single: number(20..24) as u32 },
            checksum: number(24..28) as u32,
        })
    }

    /// Whether this build knows how to read it.
    pub(super) fn is_known(self) -> bool {
        self.version == VERSION
    }
}

/// The frame that these bytes begin with, if it is there as it was written.
pub(super) fn whole(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let head = Head::read(bytes)?;
    let frame = bytes.get(..head.length)?;
    let body = frame.get(HEAD..)?;
    (head.length % ALIGN == 0 && crc32fast::hash(body) == head.checksum).then_some((head, frame))
}

/// The parts of bytes at `at` of a file that lie in one sector each: what a disk writes at once.
pub(super) fn portions(bytes: &[u8], at: usize) -> impl Iterator<Item = &[u8]> {
    let (first, rest) = bytes.split_at(bytes.len().min(SECTOR - at % SECTOR));
    std::iter::once(first).chain(rest.chunks(SECTOR))
}

pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(SECTOR).all(|chunk| chunk == &[0; SECTOR][..chunk.len()])
}
