//! Raft between nodes over gRPC: all groups share a few connections to each peer.
//!
//! Entries, heartbeats with votes, and snapshots have a connection each (`Lanes`), so that bulk never delays a
//! heartbeat. `convert` holds one file an RPC; nothing else knows both openraft's types and the messages.
//! Who the peers are is told by the groups' memberships, where they are now by `Network::know`. All services between
//! nodes are served (`serve`) and called (`Network::channel`) through it, so that TLS is in one place: `security`.

mod addresses;
mod attempt;
mod beats;
mod candidacy;
mod convert;
mod dial;
mod ends;
mod identity;
mod link;
mod listen;
mod network;
mod peers;
mod security;
mod server;
mod settings;

pub use convert::Error;
pub use dial::{Dial, Dialer, Wire};
pub use identity::{Identity, node_name};
pub use link::Link;
pub use listen::serve;
pub use network::{GroupNetwork, Network};
pub use security::{Error as CertificateError, Files, Mutual, Security};
pub use server::RaftService;
pub use settings::Settings;

#[cfg(test)]
mod tests;
