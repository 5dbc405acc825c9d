//! One SIP message in memory: start line, headers in order, body bytes.
//!
//! Compact names are expanded and comma lists split by the reader, so there is one entry per element. `Content-Length`
//! is never an entry: the writer counts. Values are kept as text and read when asked for; a message can therefore be
//! held that [`crate::screen`] would refuse.

mod build;
mod method;
mod name;
mod read;
mod rendered;
mod route_back;
mod via;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::wire;

pub use method::Method;
pub use name::Name;
pub(crate) use name::lookup;
pub use rendered::Rendered;
pub use via::Via;

/// Why a header could not be read as what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("header {0} is missing")]
    Missing(&'static str),
    #[error("CSeq is malformed or its number above 2^32-1")]
    CSeq,
    #[error("Via is malformed")]
    Via,
}

/// The first line. The Request-URI stays text until [`Message::request_uri`] reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    Request { method: Method, uri: String },
    Response { status: u16, reason: String },
}

/// A request or a response. `Debug` leaves out the keys of SRTP that its description has.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub start: Start,
    /// In the order of the wire, without Content-Length.
    pub headers: Vec<(Name, String)>,
    pub body: Vec<u8>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("start", &self.start)
            .field("headers", &self.headers)
            .field("body", &rendered::shown(&self.body))
            .finish()
    }
}

impl Message {
    /// Reads one datagram, or one WebSocket message. Bytes after the body are ignored (RFC 3261 section 18.3).
    pub fn parse(datagram: &[u8]) -> Result<Message, wire::Error> {
        wire::read_datagram(datagram)
    }

    /// The message as it goes onto the wire: one header a line, full names, Content-Length last.
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::write(self)
    }
}
