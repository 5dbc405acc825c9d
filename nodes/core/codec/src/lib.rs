//! Telephone sound without sockets: five encodings decoded and encoded, sound between 8 and 16 kHz, a stream of one
//! encoding made into a stream of another by what its packets say, several streams made into one ([`mix`]), and Opus for
//! files that are kept ([`KeptEncoder`]). No clock, no chance: a transcoder gives frames when it gets packets, and only
//! then, a room when it is ticked. Whatever allocates does so when it is made; afterwards every call works in buffers that
//! it has or is given, and no bytes from outside make it panic.
//!
//! Sound is 16-bit samples of one channel, at the rate that the encoding names. What is assumed about far ends, and
//! what is not supported, stands in `ASSUMPTIONS.md` of this crate.

mod conceal;
mod decoder;
mod encoder;
mod encoding;
mod g711;
mod g722;
mod g729;
mod kept;
pub mod mix;
mod opus;
mod order;
mod packer;
mod resampler;
mod stretch;
mod transcoder;

#[cfg(test)]
mod tests;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use encoding::Encoding;
pub use kept::{KEPT_FRAME, KeptEncoder};
pub use resampler::Resampler;
pub use transcoder::{Frame, Packet, Transcoder};

/// The longest payload that is decoded, in milliseconds: what RFC 3551 section 4.2 asks of receivers.
pub const LONGEST_MS: u32 = 200;
/// A buffer of so many bytes holds every payload that is encoded here.
pub const MOST_BYTES: usize = 1024;

/// Why something can't be decoded, encoded or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are no payload of the encoding.
    #[error("the bytes are no payload of this encoding")]
    Malformed,
    /// The payload stands for more than `LONGEST_MS`.
    #[error("the payload is longer than 200 ms")]
    TooLong,
    /// The result is longer than the buffer for it.
    #[error("the buffer is too small")]
    Buffer,
    /// The encoding has no frames of that length.
    #[error("the encoding has no frames of this length")]
    Length,
    /// The codec's library refused: at creation for want of memory, later never with what it is given here.
    #[error("the codec's library failed")]
    Library,
}
