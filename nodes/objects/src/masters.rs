//! The operator's master keys, and data keys wrapped by them. The file has a line for each: an id and 32 bytes in Base64.
//! All of them open, the last one seals; `#` begins a comment.
//!
//! ```text
//! 2026-01 q1N0...=
//! 2026-12 8Zk2...=
//! ```

use std::{fmt, path::Path};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    chunks::{DataKey, KEY},
};

/// How a wrapped key is laid out; another way gets another number.
const VERSION: u32 = 1;
const LONGEST_ID: usize = 64;

/// The keys of one file, in its order; at least one.
pub struct Masters {
    keys: Vec<Master>,
}

struct Master {
    id: String,
    key: LessSafeKey,
}

/// A data key that only who has the master key can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    version: u32,
    /// The master key's id.
    pub(crate) master: String,
    /// Nonce, sealed key and tag, hexadecimal.
    key: String,
}

impl fmt::Debug for Masters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|master| &master.id)).finish()
    }
}

impl Masters {
    /// Reads the operator's file.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::File { file: file.to_owned(), source };
        Self::parse(&std::fs::read_to_string(file).map_err(unreadable)?)
    }

    /// Of the file's text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut keys: Vec<Master> = Vec::new();
        for (number, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let master = master(line).map_err(|what| Error::Masters { line: number + 1, what })?;
            if keys.iter().any(|other| other.id == master.id) {
                return Err(Error::Masters { line: number + 1, what: "this id was there before" });
            }
            keys.push(master);
        }
        if keys.is_empty() {
            return Err(Error::Masters { line: 0, what: "there is no key in the file" });
        }
        Ok(Self { keys })
    }

    /// The id of the key that seals.
    pub fn newest(&self) -> &str {
        self.keys.last().map_or("", |master| &master.id)
    }

    /// A new data key, and how it is kept. `place` is what it is for: it opens nothing elsewhere.
    pub fn new_key(&self, place: &str) -> Result<(DataKey, Wrapped), Error> {
        let key = DataKey::random()?;
        let wrapped = self.wrap(&key, place)?;
        Ok((key, wrapped))
    }

    /// The data key wrapped by the newest master key.
    pub(crate) fn wrap(&self, key: &DataKey, place: &str) -> Result<Wrapped, Error> {
        let master = self.keys.last().ok_or(Error::Crypto)?;
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce)?;
        let mut sealed = key.bytes().to_vec();
        let aad = Aad::from(bound(&master.id, place));
        master.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)?;
        let key = hex::encode([&nonce[..], &sealed].concat());
        Ok(Wrapped { version: VERSION, master: master.id.clone(), key })
    }

    /// The data key, made for `place`.
    pub fn unwrap(&self, wrapped: &Wrapped, place: &str) -> Result<DataKey, Error> {
        let damaged = || Error::DamagedKey { key: place.to_owned() };
        let master = self
            .keys
            .iter()
            .find(|master| master.id == wrapped.master)
            .ok_or_else(|| Error::NoMaster { master: wrapped.master.clone() })?;
        let bytes = hex::decode(&wrapped.key).map_err(|_| damaged())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let mut key = sealed.to_vec();
        let aad = Aad::from(bound(&master.id, place));
        let plain = master.key.open_in_place(nonce, aad, &mut key).map_err(|_| damaged())?;
        let plain: [u8; KEY] = (&*plain).try_into().map_err(|_| damaged())?;
        if wrapped.version == VERSION { Ok(DataKey::new(plain)) } else { Err(damaged()) }
    }
}

/// What a wrapped key is bound to. Ids have no line breaks.
fn bound(id: &str, place: &str) -> Vec<u8> {
    format!("mangrove key {VERSION}\n{id}\n{place}").into_bytes()
}

fn master(line: &str) -> Result<Master, &'static str> {
    let (id, key) = line.split_once(char::is_whitespace).ok_or("there is no key after the id")?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if id.len() > LONGEST_ID || !id.chars().all(is_plain) {
        return Err("an id has at most 64 letters, digits, `-`, `_` and `.`");
    }
    let bytes = STANDARD.decode(key.trim()).map_err(|_| "the key is no Base64")?;
    if bytes.len() != KEY {
        return Err("the key has not 32 bytes");
    }
    let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| "the key can't be used")?;
    Ok(Master { id: id.to_owned(), key: LessSafeKey::new(key) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    /// A file with these ids.
    pub(crate) fn file(ids: &[(&str, u8)]) -> String {
        ids.iter().map(|(id, byte)| format!("{id} {}\n", STANDARD.encode([*byte; KEY]))).collect()
    }

    #[test]
    fn old_keys_open_and_the_last_one_seals() {
        let old = Masters::parse(&file(&[("a", 1)])).unwrap();
        let both = Masters::parse(&format!("# ours\n{}\n", file(&[("a", 1), ("b", 2)]))).unwrap();
        let (key, wrapped) = old.new_key("r.wav.key").unwrap();
        assert_eq!(both.unwrap(&wrapped, "r.wav.key").unwrap().bytes(), key.bytes());
        assert_eq!(both.newest(), "b");
        let again = both.wrap(&key, "r.wav.key").unwrap();
        let refusal = old.unwrap(&again, "r.wav.key").unwrap_err().to_string();
        assert!(refusal.contains("master key `b`"), "{refusal}");
    }

    #[test]
    fn a_wrapped_key_opens_at_its_place_only_and_unchanged() {
        let masters = Masters::parse(&file(&[("a", 1), ("b", 1)])).unwrap();
        let (_, wrapped) = masters.new_key("r.wav.key").unwrap();
        assert!(masters.unwrap(&wrapped, "q.wav.key").is_err());
        let renamed = Wrapped { master: "a".into(), ..wrapped.clone() };
        assert!(masters.unwrap(&renamed, "r.wav.key").is_err(), "same bytes, another id");
        for key in ["", "00", "zz", &wrapped.key[2..]] {
            let broken = Wrapped { key: key.into(), ..wrapped.clone() };
            assert!(masters.unwrap(&broken, "r.wav.key").is_err(), "{key}");
        }
        assert!(masters.unwrap(&Wrapped { version: 2, ..wrapped }, "r.wav.key").is_err());
    }

    #[test]
    fn a_mistake_in_the_file_is_named_with_its_line_and_without_the_key() {
        let good = file(&[("a", 1)]);
        for (text, line, what) in [
            ("\n# nothing\n".to_owned(), 0, "no key in the file"),
            (format!("{good}b\n"), 2, "no key after the id"),
            (format!("{good}b c2hvcnQ=\n"), 2, "not 32 bytes"),
            (format!("{good}b !!!!\n"), 2, "no Base64"),
            (format!("{good}\n{good}"), 3, "was there before"),
            (format!("ä {}", &good[2..]), 1, "letters, digits"),
        ] {
            let said = Masters::parse(&text).unwrap_err().to_string();
            assert!(said.contains(&format!("line {line}:")) && said.contains(what), "{said}");
            assert!(!said.contains("c2hvcnQ"), "{said}");
        }
    }
}
