//! A piece of a recording as it lies on the disk: four bytes that say how long its head is, the head as JSON, the sound.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::recorder::piece::Piece;

#[derive(Debug, Serialize, Deserialize)]
enum Head {
    Sound,
    Hole(u64),
    Lost(u64),
    Finish { ended_ms: u64 },
}

const LENGTH: usize = size_of::<u32>();

/// None for what is no part of a recording.
pub(super) fn encode(piece: &Piece) -> Option<Vec<u8>> {
    let (head, sound) = match piece {
        Piece::Sound(sound) => (Head::Sound, sound.clone()),
        Piece::Hole(bytes) => (Head::Hole(*bytes), Bytes::new()),
        Piece::Lost(ms) => (Head::Lost(*ms), Bytes::new()),
        Piece::Finish { ended_ms, rest } => (Head::Finish { ended_ms: *ended_ms }, rest.clone()),
        Piece::Suspend(_) => return None,
    };
    let head = serde_json::to_vec(&head).ok()?;
    let length = u32::try_from(head.len()).ok()?.to_be_bytes();
    Some([&length[..], &head, &sound].concat())
}

/// None where it is no piece.
pub(super) fn decode(bytes: Vec<u8>) -> Option<Piece> {
    let bytes = Bytes::from(bytes);
    let length = u32::from_be_bytes(bytes.get(..LENGTH)?.try_into().ok()?) as usize;
    let end = LENGTH.checked_add(length)?;
    let head: Head = serde_json::from_slice(bytes.get(LENGTH..end)?).ok()?;
    let sound = bytes.slice(end..);
    Some(match head {
        Head::Sound => Piece::Sound(sound),
        Head::Hole(bytes) => Piece::Hole(bytes),
        Head::Lost(ms) => Piece::Lost(ms),
        Head::Finish { ended_ms } => Piece::Finish { ended_ms, rest: sound },
    })
}
