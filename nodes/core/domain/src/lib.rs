//! The rules of the contact centre, and the only place that decides: [`apply`] takes a committed command and the
//! leader's stamp, changes the [`State`] and names the effects. Same commands, same state, on every replica.
//!
//! Pure: no clock, no chance, no sockets, no tasks. The order of reading: [`Command`] (what may happen), `command/`
//! (one file each), [`rules`] (by which version of them), [`call`] (what a call is; its rules lie below it), `strategy/` and `step/` (who is rung, what a
//! scheme does), [`invariant`] (what must always hold), [`view`] and [`routes`] (what others read).

pub mod agent;
mod apply;
mod ask;
mod broken;
pub mod call;
mod cause;
mod command;
pub mod conference;
pub mod config;
mod day;
mod dial;
mod door;
mod effect;
mod ingress;
pub mod invariant;
mod lamp;
mod line;
pub mod mailbox;
mod media;
pub mod moving;
mod quarantine;
pub mod queue;
mod ready;
mod record;
mod refound;
mod registration;
pub mod routes;
pub mod rules;
mod scene;
mod settle;
pub mod shipped;
pub mod speech;
mod stamp;
mod state;
mod step;
mod story;
mod strategy;
mod tenant;
#[cfg(test)]
mod tests;
pub mod view;

pub use apply::{apply, apply_all};
pub use ask::{Ask, Asks};
pub use call::monitor::Mode;
pub use cause::Cause;
pub use command::{
    AgentWish, CallWish, Command, ConferenceWish, MessageWish, NodeInfo, RecordingWish, Sender, Ticket,
};
pub use effect::{Action, Effect, Effects, ObjectRef, Reply, StoryLine};
pub use moving::{Arrival, Hold, Report, Standing};
pub use record::{Audit, AuditChange, Author, Origin, Record};
pub use stamp::{Fence, Moment, Stamp};
pub use state::{RestoreError, State};
pub use tenant::Tenant;
