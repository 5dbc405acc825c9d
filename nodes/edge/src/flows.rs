//! Connections of every kind, within limits. A connection is a flow (RFC 5626): it has a token that names it to
//! control, and its end is told to every tenant that heard of it.
//!
//! | file | what it is |
//! |---|---|
//! | `table` | those that are open, by their tokens and far ends |
//! | `connection` | one of them, however it is framed; why it ended (`end`), what it may take its time for (`patience`) |
//! | `tcp` | framing of a stream of bytes; `tcp/listen` accepts, `tcp/connect` opens |
//! | [`websocket`] | framing of WebSockets, which somebody else upgrades |

mod connection;
mod end;
mod patience;
mod table;
mod tcp;
pub mod websocket;

pub(crate) use table::{Flow, Flows, Packet};
pub(crate) use tcp::Listener;

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
