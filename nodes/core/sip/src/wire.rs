//! Bytes to [`Message`] and back; framing of streams.
//!
//! The reader is liberal in what no other element can be hurt by (bare LF, folded lines, white space, any header
//! order, bytes that are no UTF-8) and strict in what frames and routes a message. What is malformed beyond framing is
//! found by [`crate::screen`].

mod error;
mod list;
mod read;
mod stream;
mod write;

#[cfg(test)]
mod tests;

pub use error::{Error, Fault};
pub(crate) use read::read_datagram;
pub use stream::{Frame, StreamFramer};
pub use write::call_id_of;
pub(crate) use write::write;

/// The longest start line and headers taken, in bytes; longer ones get 513.
pub const HEAD_LIMIT: usize = 64 * 1024;
/// The longest body taken over a stream, in bytes; longer ones get 513.
pub const BODY_LIMIT: usize = 256 * 1024;
