//! Callers and agents by the hundred, as the far end of the product: real SIP and RTP over sockets, paced by a profile,
//! and an account of what each of them experienced. It knows nothing of the product's inside: what it says of a call
//! comes from the wire, and is compared with the product's own records afterwards.
//!
//! ```text
//! Profile ─▶ Swarm ─┬─ callers (one Endpoint, the carrier) ─┐
//!                   └─ agents  (one Endpoint, the office)  ─┴─▶ Ledger ─▶ Report (JSON, HTML), compared with CDRs
//! ```

mod agent;
mod caller;
pub mod company;
pub mod compare;
mod ear;
mod endpoint;
mod hold;
pub mod ledger;
pub mod profile;
pub mod recording;
mod registration;
pub mod report;
mod sound;
mod swarm;

pub use profile::Profile;
pub use registration::Account;
pub use report::Report;
pub use swarm::{Error, Swarm, Target};
