//! What goes into the layer and what comes out.

use bytes::Bytes;

use super::Key;
use crate::message::{Message, Method};
use crate::{Destination, Source, wire};

/// What happens to the layer. All times are milliseconds of one clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A message came in, already read.
    Message { message: Message, source: Source, now: u64 },
    /// The user wants a request sent. `message` has no Via of ours: the layer puts one on top, with this `branch` and
    /// `sent_by` (our `host:port`). A branch already held is sent again at once if it waits for a first answer, and
    /// nothing otherwise. An ACK for a 2xx goes out and is forgotten.
    Send {
        branch: String,
        method: Method,
        destination: Destination,
        sent_by: String,
        message: Bytes,
        now: u64,
    },
    /// The user answers a request: the response as it leaves, and the same read. Creates the transaction if there is
    /// none.
    Respond { destination: Destination, message: Message, bytes: Bytes, now: u64 },
    /// A moment named by [`super::Layer::next_timeout`] has come; being late or early is harmless.
    Timeout { now: u64 },
    /// Nothing can be sent to this destination: requests that had no answer from it have failed.
    TransportFailed { destination: Destination },
    /// A connection ended whose far end nobody can connect to: requests sent over it that have no final answer have
    /// failed, those that ring too.
    FlowClosed { flow: String },
}

impl Input {
    /// [`Input::Respond`] with a response that is still to be read.
    pub fn respond(destination: Destination, bytes: Bytes, now: u64) -> Result<Self, wire::Error> {
        Ok(Self::Respond { destination, message: Message::parse(&bytes)?, bytes, now })
    }
}

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    Transmit {
        destination: Destination,
        bytes: Bytes,
    },
    /// A new request, its top Via filled with `received` and `rport`.
    Request {
        key: Key,
        message: Message,
        source: Source,
    },
    /// A response to a request of ours, whose branch is `branch`.
    Response {
        branch: String,
        message: Message,
        source: Source,
    },
    /// A response that belongs to nothing held here: of a transaction that ended, or of another edge's. Never
    /// forwarded blindly: the branch tells whose it is.
    Stray {
        branch: String,
        message: Message,
        source: Source,
    },
    /// The ACK for a 2xx, once; for a 2xx this layer does not hold, each time.
    Ack {
        key: Option<Key>,
        message: Message,
        source: Source,
    },
    /// A CANCEL; `invite` is the request it cancels, if held here.
    Cancelled {
        invite: Option<Key>,
        key: Key,
        message: Message,
        source: Source,
    },
    /// No final answer came (timers B and F, and 64*T1 after a CANCEL).
    TimedOut {
        branch: String,
        method: Method,
    },
    /// The request could not be sent.
    TransportFailed {
        branch: String,
        method: Method,
    },
    /// No ACK came for a final answer to INVITE (timers H and L).
    AckMissing {
        key: Key,
    },
    /// No PRACK came for a reliable provisional answer (RFC 3262 section 3).
    PrackMissing {
        key: Key,
    },
    /// The next moment to call, when it changed.
    SetTimer {
        at: u64,
    },
}
