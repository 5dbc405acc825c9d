//! Looks at fjall's journals before fjall does. It takes whatever it can't read for the torn end of a write and cuts it
//! off with all that follows: a flipped bit in the middle would lose acknowledged entries without a word.
//!
//! A crash leaves one batch torn at most, the last one, for the next is written when it is synced. So whole batches behind
//! something unreadable, or a last batch with its end but not with all before it, are damage. Values are held by fjall's
//! own checksums; lengths, order and kinds are held here.
//!
//! Format of fjall 3: `1, items (4), number (8)`, then per item `2, kind, compression, keyspace (8), key's length (2),
//! value's length (4), stored length (4), key, value`, or `4, keyspace (8)`, then `3, checksum (8), "FJL", 3`.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::error::Error;

const TRAILER: &[u8] = b"FJL\x03";
const SECTOR: usize = 512;
const ZEROS: [u8; SECTOR] = [0; SECTOR];
const HEAD: usize = 21;

/// What a journal's bytes are.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Whole batches up to here, and nothing after them.
    Whole(usize),
    /// The last write did not get through: nobody was told that it had.
    Torn(usize),
    Damaged(usize),
}

/// Cuts off what a crash tore and refuses what is damaged.
pub(super) fn check(folder: &Path) -> Result<(), Error> {
    let failed = |path: &Path, error: io::Error| Error::Open { path: path.into(), reason: error.to_string() };
    for path in super::journals(folder).map_err(|error| failed(folder, error))? {
        let bytes = fs::read(&path).map_err(|error| failed(&path, error))?;
        match judge(&bytes) {
            Verdict::Damaged(at) => return Err(damaged(path, at)),
            Verdict::Torn(end) => {
                tracing::warn!(path = %path.display(), end, "a write that was never acknowledged is cut off");
                cut(&path, end).map_err(|error| failed(&path, error))?;
            }
            Verdict::Whole(_) => {}
        }
    }
    Ok(())
}

fn damaged(path: PathBuf, at: usize) -> Error {
    Error::Corrupt {
        path,
        what: format!("it can't be read from byte {at} on, and acknowledged records are there"),
    }
}

fn cut(path: &Path, end: usize) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(end as u64)?;
    file.sync_all()
}

fn judge(bytes: &[u8]) -> Verdict {
    let end = whole_batches(bytes);
    let rest = &bytes[end..];
    if is_zero(rest) {
        return Verdict::Whole(end);
    }
    let Some(trailer) = memmem::find(rest, TRAILER) else {
        // With something in the place of its last byte it was written to the end.
        let is_written = items(rest).is_some_and(|(at, _)| rest.get(at + 12).is_some_and(|last| *last != 0));
        return if is_written { Verdict::Damaged(end) } else { Verdict::Torn(end) };
    };
    let (last, beyond) = rest.split_at(trailer + TRAILER.len());
    // Sectors reach a disk in any order: the end may be there before the middle.
    if is_zero(beyond) && has_hole(last, end) { Verdict::Torn(end) } else { Verdict::Damaged(end) }
}

/// Where the last batch ends of those that can be read, each with a greater number than the one before it.
fn whole_batches(bytes: &[u8]) -> usize {
    let (mut end, mut number) = (0, None);
    while let Some((length, next)) = batch(&bytes[end..])
        && number < Some(next)
    {
        end += length;
        number = Some(next);
    }
    end
}

/// Length and number of the batch that begins here.
fn batch(bytes: &[u8]) -> Option<(usize, u64)> {
    let (at, number) = items(bytes)?;
    let (3, trailer) = (*bytes.get(at)?, bytes.get(at + 9..at + 13)?) else { return None };
    (trailer == TRAILER).then_some((at + 13, number))
}

/// Where the items of the batch that begins here end, and its number.
fn items(bytes: &[u8]) -> Option<(usize, u64)> {
    let (1, items, number) = (*bytes.first()?, number::<4>(bytes, 1)?, number::<8>(bytes, 5)?) else {
        return None;
    };
    let mut at = 13;
    for _ in 0..items {
        at += item(bytes.get(at..)?)?;
    }
    Some((at, number))
}

fn item(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        2 if bytes.len() >= HEAD => {
            let (key, plain, stored) =
                (number::<2>(bytes, 11)?, number::<4>(bytes, 13)?, number::<4>(bytes, 17)?);
            let is_plain = bytes[2] == 0;
            (bytes[1] <= 3 && bytes[2] <= 1 && (!is_plain || plain == stored))
                .then_some(HEAD + key as usize + stored as usize)
        }
        4 => Some(9),
        _ => None,
    }
}

/// The number of so many bytes at this place, the smallest first.
fn number<const BYTES: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + BYTES)?;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(SECTOR).all(|chunk| chunk == &ZEROS[..chunk.len()])
}

/// Whether a whole sector of the disk is missing in bytes that begin at `offset` of their file.
fn has_hole(bytes: &[u8], offset: usize) -> bool {
    let first = offset.next_multiple_of(SECTOR) - offset;
    bytes.get(first..).is_some_and(|aligned| aligned.chunks_exact(SECTOR).any(|sector| sector == ZEROS))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn one(number: u64, value: &[u8]) -> Vec<u8> {
        let mut bytes = vec![1, 1, 0, 0, 0];
        bytes.extend(number.to_le_bytes());
        bytes.extend([2, 0, 0]);
        bytes.extend(7u64.to_le_bytes());
        bytes.extend(3u16.to_le_bytes());
        bytes.extend((value.len() as u32).to_le_bytes());
        bytes.extend((value.len() as u32).to_le_bytes());
        bytes.extend(b"key");
        bytes.extend(value);
        bytes.push(3);
        bytes.extend([9; 8]);
        bytes.extend(TRAILER);
        bytes
    }

    #[test]
    fn a_crash_tears_the_last_batch_only() {
        let (first, last) = (one(4, b"first"), one(5, &[7; 2_000]));
        let whole = [&first[..], &last].concat();
        let end = first.len();
        assert_eq!(judge(&whole), Verdict::Whole(whole.len()));
        assert_eq!(
            judge(&[&whole[..], &[0; 5_000]].concat()),
            Verdict::Whole(whole.len()),
            "allocated ahead"
        );
        assert_eq!(judge(&[]), Verdict::Whole(0));
        for cut in end + 1..whole.len() {
            assert_eq!(judge(&whole[..cut]), Verdict::Torn(end), "cut at {cut}");
            let padded = [&whole[..cut], &[0; 3_000]].concat();
            assert_eq!(judge(&padded), Verdict::Torn(end), "cut at {cut}, allocated ahead");
        }
        let mut holed = whole;
        holed[SECTOR * 2..SECTOR * 3].fill(0);
        holed[end] = 0;
        assert_eq!(judge(&holed), Verdict::Torn(end), "the power went before all sectors were there");
    }

    #[test]
    fn what_is_whole_behind_something_unreadable_is_damage() {
        let (first, second, last) = (one(4, b"first"), one(5, b"second"), one(6, b"last"));
        let whole = [&first[..], &second, &last].concat();
        // Keyspace, key and value are for fjall's checksum.
        for place in (0..13 + HEAD).filter(|place| !(16..24).contains(place)) {
            let mut damaged = whole.clone();
            damaged[first.len() + place] ^= 0x40;
            assert!(matches!(judge(&damaged), Verdict::Damaged(_)), "byte {place}");
        }
    }

    #[test]
    fn a_last_batch_that_was_written_to_its_end_is_not_torn() {
        let first = one(4, b"first");
        let whole = [&first[..], &one(5, b"last")].concat();
        for place in [first.len(), whole.len() - 13, whole.len() - 4, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x10;
            assert_eq!(judge(&damaged), Verdict::Damaged(first.len()), "byte {place}");
        }
    }

    #[test]
    fn batches_out_of_order_are_damage() {
        let first = one(4, b"first");
        let mixed = [&first[..], &one(4, b"again"), &one(5, b"last")].concat();
        assert_eq!(judge(&mixed), Verdict::Damaged(first.len()));
    }
}
