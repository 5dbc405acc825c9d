//! TCP: accepts and opens connections, within limits. A connection is a flow (RFC 5626): it has a token that
//! names it to control, and its end is told to every tenant that heard of it.

mod connect;
mod connection;
mod flows;
mod listen;

pub(crate) use flows::{Flow, Flows, Packet};
pub(crate) use listen::Listener;

use std::sync::{Arc, Weak};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{options::Limits, signalling::Signalling};

/// What every connection's task needs.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) flows: Arc<Flows>,
    /// Weak, for what it points to holds this.
    pub(crate) signalling: Weak<Signalling>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}
