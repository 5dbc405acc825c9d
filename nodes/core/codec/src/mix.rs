//! Several people in one talk, each of whom hears the sum of those whom they may hear: a frame of 20 ms a tick. What
//! comes in waits in a jitter buffer ([`Ear`]) until its tick, is decoded there and brought to the room's rate; the
//! sums are encoded once for all who hear the same in the same encoding ([`Room`]). The clock is whoever ticks.
//!
//! ```text
//! packets ─▶ Ear: order, decode, make up ─▶ frame ─┐
//! packets ─▶ Ear ────────────────────────▶ frame ─┼─▶ sum ─▶ encode ─▶ each listener
//! ```
//!
//! Where all hear all others it is a [`Crowd`]: of those the loudest few are added up, once for all.

mod chime;
mod crowd;
mod ear;
mod jitter;
mod pace;
mod room;
mod speaker;
#[cfg(test)]
mod tests;
mod timeline;
mod waiting;

pub use chime::Chime;
pub use crowd::Crowd;
pub use ear::Ear;
pub use room::{Room, Seat};

/// How long a tick's frame is, in milliseconds.
pub const TICK_MS: u32 = 20;
/// Samples of a frame at the rate of a wide room.
const FRAME: usize = 320;
const NARROW: u32 = 8000;
const WIDE: u32 = 16_000;
