//! What one log entry of a shard group holds: a batch of commands with the stamp they share. Versioned by its first byte.

use mangrove_domain::{Command, Fence, Reply, Stamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The format written by this release.
const VERSION: u8 = 1;

/// A batch of commands. Each gets the batch's stamp with its own ordinal.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub now: u64,
    pub wall: u64,
    pub seed: u64,
    pub fence: Fence,
    pub commands: Vec<Command>,
}

impl Entry {
    /// The commands with their stamps, in their order. Time stands rather than goes back: `last` is the latest so far.
    pub(crate) fn stamped(self, index: u64, last: u64) -> impl Iterator<Item = (Command, Stamp)> {
        let Self { now, wall, seed, fence, commands } = self;
        let now = now.max(last);
        let stamp = move |ordinal| Stamp { now, wall, seed, index, ordinal, fence };
        commands.into_iter().zip((0..).map(stamp))
    }
}

/// Bytes that are no entry of a format known here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("log entry of format {0}, this release reads format {VERSION}")]
    Version(u8),
    #[error("empty log entry")]
    Empty,
    #[error("log entry can't be read: {0}")]
    Malformed(#[from] rmp_serde::decode::Error),
}

/// The entry as bytes for the log.
pub(crate) fn encode(entry: &Entry) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    versioned(entry)
}

/// The entry from the log.
pub(crate) fn decode(bytes: &[u8]) -> Result<Entry, Error> {
    body(bytes)
}

fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    match bytes {
        [] => Err(Error::Empty),
        [VERSION, body @ ..] => Ok(rmp_serde::from_slice(body)?),
        [other, ..] => Err(Error::Version(*other)),
    }
}

/// Commands on their way to the leader, in the form that an entry has them in.
pub(crate) fn encode_commands(commands: &[&Command]) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    versioned(&commands)
}

/// As written by `encode_commands`.
pub(crate) fn decode_commands(bytes: &[u8]) -> Result<Vec<Command>, Error> {
    body(bytes)
}

/// The replies to an entry's commands, in their order.
pub(crate) fn encode_replies(replies: &[Reply]) -> Vec<u8> {
    rmp_serde::to_vec_named(replies).unwrap_or_default()
}

/// As written by `encode_replies`; empty where the entry could not be applied.
pub(crate) fn decode_replies(bytes: &[u8]) -> Vec<Reply> {
    rmp_serde::from_slice(bytes).unwrap_or_default()
}

/// Field names are written too, so that fields can be added.
fn versioned<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    let mut bytes = vec![VERSION];
    rmp_serde::encode::write_named(&mut bytes, value)?;
    Ok(bytes)
}
