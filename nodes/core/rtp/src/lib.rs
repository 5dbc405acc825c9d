//! RTP without sockets: headers rewritten in place, encodings and their clocks, G.711, digits (RFC 4733), RTCP
//! (RFC 3550), both sealed and opened (SRTP, RFC 3711), the rule of latching, the lite side of ICE (RFC 8445) with its STUN, one unbroken outgoing stream from changing
//! sources, prompts as ready frames, and the alignment of two streams to one stereo recording. No clock, no chance: times
//! are **microseconds of a monotonic clock** passed in, SSRCs and first sequence numbers too. Nothing here allocates per
//! packet except where it says so.
//!
//! What is assumed about far ends, and what is not supported, stands in `ASSUMPTIONS.md` of this crate.

pub mod align;
pub mod digit;
pub mod encoding;
pub mod g711;
pub mod header;
pub mod ice;
pub mod latch;
pub mod prompt;
pub mod resample;
pub mod rtcp;
pub mod srtp;
pub mod statistics;
pub mod stream;
pub mod stun;
pub mod tone;
pub mod udptl;
pub mod wav;

/// Samples a second of G.711 and of everything that is played and recorded here.
pub const RATE: u32 = 8000;
/// Samples of one 20 ms frame; also its bytes in G.711.
pub const FRAME: usize = 160;
/// Microseconds of one frame.
pub const FRAME_US: u64 = 20_000;

/// Samples that pass in `us` microseconds.
pub const fn samples(us: u64) -> u64 {
    ticks(us, RATE)
}

/// What a clock of `clock` Hz counts in `us` microseconds.
pub const fn ticks(us: u64, clock: u32) -> u64 {
    let (seconds, rest) = (us / 1_000_000, us % 1_000_000);
    seconds * clock as u64 + rest * clock as u64 / 1_000_000
}

/// What a clock of `clock` Hz counts in one frame.
pub const fn frame_ticks(clock: u32) -> u32 {
    clock / 50
}
