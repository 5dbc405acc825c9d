//! A place for a WebSocket, taken before its handshake is answered: who finds none is refused over HTTP.

use std::{net::SocketAddr, sync::Arc};

use mangrove_sip::{Transport, ticket::Holder};
use tokio::sync::mpsc;

use super::Socket;
use crate::{
    flows::{Context, Flow, Packet, connection, table::Full},
    metrics::CONNECTIONS_REFUSED,
};

/// Why an edge takes no WebSocket now; another one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("this node gives its work to other ones")]
    Leaving,
    #[error("this node has as many connections as it may have")]
    Full,
    #[error("this node has as many WebSockets from your address as it may have")]
    Source,
    #[error("this node does not know yet how to check tickets")]
    Unready,
    #[error("the ticket is none of ours, or has expired")]
    Ticket,
    #[error("too many tickets from your address were made up")]
    Guesses,
}

/// A place among the edge's connections, given back when it is dropped unused.
#[derive(Debug)]
pub struct Seat {
    flow: Arc<Flow>,
    /// None once the connection has it.
    outbox: Option<mpsc::Receiver<Packet>>,
    local: SocketAddr,
    context: Context,
}

impl Seat {
    /// For a WebSocket from `remote` to our address `local`.
    pub(crate) fn take(
        context: &Context,
        transport: Transport,
        remote: SocketAddr,
        local: SocketAddr,
    ) -> Result<Self, Refused> {
        let (flow, outbox) = context.flows.add(transport, remote, true).map_err(|full| {
            metrics::counter!(CONNECTIONS_REFUSED, "reason" => full.to_string()).increment(1);
            tracing::debug!(%remote, limit = %full, "websocket refused");
            match full {
                Full::Connections => Refused::Full,
                Full::Source | Full::WebSockets => Refused::Source,
            }
        })?;
        Ok(Self { flow, outbox: Some(outbox), local, context: context.clone() })
    }

    /// The same place, for the page of the person for whom its ticket speaks.
    pub(crate) fn of(self, holder: Holder) -> Self {
        self.flow.hold(holder);
        self
    }

    /// The handshake is done: from now on it speaks SIP, in a task of the edge's own.
    pub fn begin(mut self, socket: Socket) {
        if let Some(outbox) = self.outbox.take() {
            connection::start(socket, self.flow.clone(), self.local, outbox, &self.context);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.outbox.is_some() {
            self.context.flows.remove(&self.flow);
        }
    }
}
