//! The control role: leads shard groups. Around the pure rules of `mangrove-domain` it puts what they may not have:
//! the log, the clock, chance, actors, and the ways to edges, media nodes, the database and pages.
//!
//! ```text
//! edge, media, console ──commands──▶ Proposer ──one entry──▶ Raft ──▶ Machine (apply) ──Applied──▶ Shard (actor)
//!                                                                                                    │ per object
//!            edge, media ◀──effects── Face (actor: call, agent, queue, tenant; its timer) ◀──────────┤
//!            pages ◀──live events── Hub ◀───────────────────────────────────────────────────────────┤
//!            SQL ◀──upsert── Outbox ◀────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Nothing here decides what happens to a call. A face owns no state and can be made again from State at any moment.

pub mod backup;
mod clock;
mod console;
mod control;
mod deliver;
mod desk;
mod entry;
mod face;
mod forward;
mod fresh;
mod group;
pub mod grpc;
mod hub;
mod machine;
pub mod metrics;
mod missed;
mod moving;
mod options;
mod outbox;
mod owed;
mod pace;
mod peers;
mod ports;
mod progress;
mod proposer;
pub mod routes;
mod shard;
mod slow;
mod storybook;
#[cfg(test)]
mod tests;
pub mod trace;
mod turns;

pub use console::Mail;
pub use control::{Control, Error};
pub use desk::Desk;
pub use group::Prepared;
pub use options::Options;
pub use peers::{Guidance, Peers};
