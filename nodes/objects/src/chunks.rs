//! How sealed bytes are laid out. A header of 40 bytes (what it is, and a random salt), then chunks of 64 KiB of plain bytes,
//! each followed by its tag; the last one is shorter or full, and of an empty object it is empty. A chunk's number is its
//! nonce, and number and "is the last" are authenticated with it: chunks that are changed, exchanged, left out or put in
//! another object are noticed, and so is an end cut off.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac, rand,
};

use crate::Error;

/// Bytes of a key.
pub(crate) const KEY: usize = 32;
/// Plain bytes of a chunk.
pub(crate) const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
/// A chunk as it lies there.
pub(crate) const SEALED_CHUNK: usize = CHUNK + TAG;
const MAGIC: [u8; 8] = *b"MNGRVSL1";
const SALT: usize = 32;
pub(crate) const HEADER: usize = MAGIC.len() + SALT;

/// The key of one recording.
#[derive(Clone)]
pub struct DataKey([u8; KEY]);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

impl DataKey {
    pub(crate) fn new(bytes: [u8; KEY]) -> Self {
        Self(bytes)
    }

    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = [0; KEY];
        rand::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }

    /// The key of one object: no two objects share one, so that numbers can be nonces.
    fn of_object(&self, salt: &[u8], place: &str) -> Result<LessSafeKey, Error> {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        context.update(&MAGIC);
        context.update(salt);
        context.update(place.as_bytes());
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, context.sign().as_ref())?))
    }
}

/// Plain bytes sealed whole. `place` is their path: elsewhere they don't open.
pub fn seal(key: &DataKey, place: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
    let (mut sealing, mut sealed) = Sealing::begin(key, place)?;
    sealing.push(plain, &mut sealed)?;
    sealing.finish(&mut sealed)?;
    Ok(sealed)
}

/// The plain bytes of what was sealed whole for `place`.
pub fn open(key: &DataKey, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let (header, body) =
        sealed.split_at_checked(HEADER).ok_or_else(|| Error::Damaged { what: place.to_owned() })?;
    let mut opening = Opening::begin(key, place, header, 0, sealed.len() as u64)?;
    let mut plain = Vec::with_capacity(body.len());
    for chunk in body.chunks(SEALED_CHUNK) {
        plain.extend(opening.open(chunk.to_vec())?);
    }
    Ok(plain)
}

/// Plain bytes of so many sealed ones; None where no object has so many.
pub(crate) fn plain_size(sealed: u64) -> Option<u64> {
    let body = sealed.checked_sub(HEADER as u64)?;
    body.checked_sub(count(body)? * TAG as u64)
}

/// Chunks of a body; None where a last one would be shorter than its tag.
fn count(body: u64) -> Option<u64> {
    let (chunks, rest) = (body.div_ceil(SEALED_CHUNK as u64), body % SEALED_CHUNK as u64);
    (body > 0 && (rest == 0 || rest >= TAG as u64)).then_some(chunks)
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn bound(number: u64, is_last: bool) -> Aad<[u8; 9]> {
    let mut bytes = [0; 9];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8] = u8::from(is_last);
    Aad::from(bytes)
}

/// Seals bytes as they come.
pub(crate) struct Sealing {
    key: LessSafeKey,
    number: u64,
    /// Not sealed yet: only when more comes, or nothing, is known whether it is the last.
    open: Vec<u8>,
}

impl Sealing {
    /// With the header.
    pub(crate) fn begin(key: &DataKey, place: &str) -> Result<(Self, Vec<u8>), Error> {
        let mut salt = [0; SALT];
        rand::fill(&mut salt)?;
        let key = key.of_object(&salt, place)?;
        let header = [&MAGIC[..], &salt].concat();
        Ok((Self { key, number: 0, open: Vec::with_capacity(SEALED_CHUNK) }, header))
    }

    /// Puts what can be sealed already behind `sealed`.
    pub(crate) fn push(&mut self, mut plain: &[u8], sealed: &mut Vec<u8>) -> Result<(), Error> {
        while !plain.is_empty() {
            if self.open.len() == CHUNK {
                self.close(false, sealed)?;
            }
            let (now, later) = plain.split_at(plain.len().min(CHUNK - self.open.len()));
            self.open.extend_from_slice(now);
            plain = later;
        }
        Ok(())
    }

    /// Puts the last chunk behind `sealed`. Nothing may be pushed after it.
    pub(crate) fn finish(&mut self, sealed: &mut Vec<u8>) -> Result<(), Error> {
        self.close(true, sealed)
    }

    fn close(&mut self, is_last: bool, sealed: &mut Vec<u8>) -> Result<(), Error> {
        let (nonce, aad) = (nonce(self.number), bound(self.number, is_last));
        self.key.seal_in_place_append_tag(nonce, aad, &mut self.open)?;
        sealed.append(&mut self.open);
        self.number += 1;
        Ok(())
    }
}

/// Opens chunks in order, from any one on.
pub(crate) struct Opening {
    key: LessSafeKey,
    number: u64,
    chunks: u64,
    /// Of the last chunk.
    rest: usize,
    place: String,
}

impl Opening {
    /// From chunk `first` on, of an object of `size` sealed bytes.
    pub(crate) fn begin(
        key: &DataKey,
        place: &str,
        header: &[u8],
        first: u64,
        size: u64,
    ) -> Result<Self, Error> {
        let damaged = || Error::Damaged { what: place.to_owned() };
        let salt = header.strip_prefix(&MAGIC).filter(|salt| salt.len() == SALT).ok_or_else(damaged)?;
        let body = size.checked_sub(HEADER as u64).ok_or_else(damaged)?;
        let chunks = count(body).ok_or_else(damaged)?;
        let rest = (body - (chunks - 1) * SEALED_CHUNK as u64) as usize;
        let key = key.of_object(salt, place)?;
        Ok(Self { key, number: first, chunks, rest, place: place.to_owned() })
    }

    /// Sealed bytes of the next chunk; none after the last.
    pub(crate) fn coming(&self) -> Option<usize> {
        let is_there = self.number < self.chunks;
        is_there.then_some(if self.number + 1 == self.chunks { self.rest } else { SEALED_CHUNK })
    }

    /// The next chunk's plain bytes.
    pub(crate) fn open(&mut self, mut chunk: Vec<u8>) -> Result<Vec<u8>, Error> {
        let is_last = self.number + 1 >= self.chunks;
        let opened = self
            .key
            .open_in_place(nonce(self.number), bound(self.number, is_last), &mut chunk)
            .map(|p| p.len());
        let length = opened.map_err(|_| self.damaged())?;
        chunk.truncate(length);
        self.number += 1;
        Ok(chunk)
    }

    pub(crate) fn damaged(&self) -> Error {
        Error::Damaged { what: self.place.clone() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PLACE: &str = "recordings/acme/r.wav";

    fn key() -> DataKey {
        DataKey::new([7; KEY])
    }

    fn plain(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at / 251) as u8 ^ at as u8).collect()
    }

    #[test]
    fn what_is_sealed_opens_and_shows_its_size() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
            let sealed = seal(&key(), PLACE, &plain(length)).unwrap();
            assert_eq!(plain_size(sealed.len() as u64), Some(length as u64));
            assert_eq!(open(&key(), PLACE, &sealed).unwrap(), plain(length), "{length}");
        }
    }

    #[test]
    fn pieces_of_any_size_make_the_same_chunks() {
        let all = plain(2 * CHUNK + 9);
        let (mut sealing, mut sealed) = Sealing::begin(&key(), PLACE).unwrap();
        for piece in all.chunks(40_000) {
            sealing.push(piece, &mut sealed).unwrap();
        }
        sealing.finish(&mut sealed).unwrap();
        assert_eq!(open(&key(), PLACE, &sealed).unwrap(), all);
    }

    #[test]
    fn the_same_bytes_are_sealed_otherwise_each_time_and_nowhere_plain() {
        let all = [9; 4_096];
        let (one, other) = (seal(&key(), PLACE, &all).unwrap(), seal(&key(), PLACE, &all).unwrap());
        assert_ne!(one[HEADER..], other[HEADER..]);
        assert!(!one.windows(16).any(|window| window == [9; 16]));
    }

    #[test]
    fn a_flipped_bit_is_noticed_wherever_it_is() {
        let sealed = seal(&key(), PLACE, &plain(CHUNK + 20)).unwrap();
        for at in [0, 7, 8, HEADER - 1, HEADER, HEADER + CHUNK, HEADER + SEALED_CHUNK, sealed.len() - 1] {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(open(&key(), PLACE, &bad).is_err(), "byte {at}");
        }
    }

    #[test]
    fn an_end_cut_off_is_noticed_at_a_chunks_border_too() {
        let sealed = seal(&key(), PLACE, &plain(3 * CHUNK)).unwrap();
        for left in
            [0, 10, HEADER, HEADER + 5, HEADER + SEALED_CHUNK, HEADER + 2 * SEALED_CHUNK, sealed.len() - 1]
        {
            assert!(open(&key(), PLACE, &sealed[..left]).is_err(), "{left} bytes left");
        }
        let longer = [&sealed[..], &sealed[HEADER..HEADER + SEALED_CHUNK]].concat();
        assert!(open(&key(), PLACE, &longer).is_err(), "a chunk more");
    }

    #[test]
    fn chunks_in_another_order_or_of_another_object_are_noticed() {
        let sealed = seal(&key(), PLACE, &plain(3 * CHUNK)).unwrap();
        let other = seal(&key(), PLACE, &plain(3 * CHUNK)).unwrap();
        let chunk = |of: &[u8], at: usize| of[HEADER + at * SEALED_CHUNK..][..SEALED_CHUNK].to_vec();
        let whole = |chunks: [Vec<u8>; 3]| [&sealed[..HEADER], &chunks.concat()].concat();
        let bad = [
            whole([chunk(&sealed, 1), chunk(&sealed, 0), chunk(&sealed, 2)]),
            whole([chunk(&sealed, 0), chunk(&sealed, 0), chunk(&sealed, 2)]),
            whole([chunk(&sealed, 0), chunk(&other, 1), chunk(&sealed, 2)]),
        ];
        for (at, bad) in bad.iter().enumerate() {
            assert!(open(&key(), PLACE, bad).is_err(), "case {at}");
        }
        assert!(open(&key(), "recordings/acme/q.wav", &sealed).is_err(), "another path");
        assert!(open(&DataKey::new([8; KEY]), PLACE, &sealed).is_err(), "another key");
    }
}
