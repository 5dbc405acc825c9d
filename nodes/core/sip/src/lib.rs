//! Sans-IO SIP: messages on the wire, transactions, dialogs, digest, registrations, SDP offer and answer.
//!
//! Nothing here opens a socket, reads a clock or draws a random number: time comes in as milliseconds, chance as
//! a [`Seed`], bytes as slices. The same input therefore gives the same output on every replica.
//!
//! | module | what it is |
//! |---|---|
//! | [`wire`] | bytes to [`Message`] and back; framing of streams |
//! | [`message`], [`uri`] | what a message says: headers, Via, addresses |
//! | [`screen`] | what is refused before any state is looked at |
//! | [`transaction`] | retransmission and matching, RFC 3261 section 17 with RFC 6026 |
//! | [`digest`] | authentication, both sides, RFC 8760 |
//! | [`ticket`] | what a page shows instead of a password |
//! | [`matcher`] | which addresses a trunk calls from |
//! | [`registrar`] | the bindings of one address of record |
//! | [`ua`] | one dialog of ours as plain data |
//! | [`sdp`] | offer and answer, RFC 3264 |
//! | [`cause`] | status codes, Q.850 causes and their words |
//!
//! What is left out, and how it is answered, is in `ASSUMPTIONS.md`.

pub mod address;
pub mod cause;
pub mod digest;
pub mod matcher;
pub mod message;
pub mod registrar;
pub mod screen;
pub mod sdp;
pub mod seed;
pub mod ticket;
pub mod transaction;
pub mod ua;
pub mod uri;
pub mod wire;

pub use address::{Destination, Local, Replacing, Source, Transport};
pub use message::{Message, Method, Name, Rendered, Start, Via};
pub use seed::Seed;
pub use uri::{NameAddr, Params, Uri};

/// Every branch made by an element of RFC 3261 starts with this (section 8.1.1.7).
pub const MAGIC: &str = "z9hG4bK";
