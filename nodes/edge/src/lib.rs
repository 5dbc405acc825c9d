//! The edge role: SIP sockets, transactions, authentication and admission. It decides nothing about calls: it gives
//! control what came in, numbered and in order, and sends what control has committed, byte for byte.
//!
//! Start here: [`Edge::start`]. Inside, from the sockets inwards:
//!
//! | module | what it is |
//! |---|---|
//! | `udp`, `flows` | sockets, connections of every kind, their limits |
//! | `signalling` | one message's way: transactions, gate, identity, answers of our own, commands |
//! | `stun` | keep-alives of phones behind NAT |
//! | `events` | what control is told: numbered, kept until acknowledged |
//! | [`directory`] | whose a request is, heard from control nodes |
//! | `fence` | refuses commands of leaders that were replaced |
//! | [`grpc`] | the same service between processes |
//!
//! It does not keep dialogs or registrations, choose destinations, or render messages of calls.

mod clock;
mod contacts;
mod convert;
pub mod directory;
mod edge;
mod events;
mod fence;
mod flows;
pub mod grpc;
mod leg_address;
pub mod metrics;
mod options;
mod rate;
mod signalling;
mod stun;
mod udp;

use std::{io, net::SocketAddr};

pub use edge::{Edge, Status};
pub use fence::Fences;
pub use flows::websocket;
pub use mangrove_sip::Transport;
pub use options::{Limits, Options, Public};

/// Why an edge can't start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, not ours, or not allowed.
    #[error("can't listen for SIP on {transport} {address}: {source}")]
    Bind { transport: Transport, address: SocketAddr, source: io::Error },
}
