//! Digits as telephone events (RFC 4733): a payload of four bytes, sent many times over, meaning one key press.

mod codes;
mod receiver;
mod retold;
mod sender;

pub use codes::{Codes, Outcome};
pub use receiver::Receiver;
pub use retold::{Retold, Teller};
pub use sender::{Packet, Sender};

/// The keys in the order of their event numbers (RFC 4733 section 3.2).
const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// One key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digit {
    /// `0` to `9`, `*`, `#`, `A` to `D`.
    pub key: char,
    pub duration_ms: u32,
}

/// The payload of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    pub event: u8,
    pub end: bool,
    /// Power in -dBm0, 0 to 63.
    pub volume: u8,
    /// Timestamp units since the packet's timestamp.
    pub duration: u16,
}

impl Payload {
    /// None when it is too short. Longer ones are read as their first event.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let [event, flags, high, low, ..] = *bytes else { return None };
        Some(Self {
            event,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// The four bytes.
    pub fn write(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, (u8::from(self.end) << 7) | (self.volume & 0x3f), high, low]
    }

    /// The key, when the event is one.
    pub fn key(self) -> Option<char> {
        KEYS.get(self.event as usize).map(|key| *key as char)
    }
}
