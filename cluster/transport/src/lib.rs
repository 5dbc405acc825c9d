//! Raft between nodes over gRPC: all groups share a few connections to each peer.
//!
//! Entries, heartbeats with votes, and snapshots have a connection each (`Lanes`), so that bulk never delays a
//! heartbeat. `convert` holds one file an RPC; nothing else knows both openraft's types and the messages.
//! Who the peers are is told by the groups' memberships, where they are now by `Network::know`.

mod addresses;
mod convert;
mod link;
mod listen;
mod network;
mod peers;
mod server;
mod settings;

pub use convert::Error;
pub use link::Link;
pub use listen::serve;
pub use network::{GroupNetwork, Network};
pub use server::{RaftService, routes};
pub use settings::{Security, Settings};

#[cfg(test)]
mod tests;
