//! A request of the far end that we answer: what its responses must repeat, and where they go.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Leg;
use super::turn::Turn;
use crate::message::Name;
use crate::{Destination, Message, Method, Rendered, Source};

/// The server transaction as far as the leg must know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) cseq: u32,
    pub(super) branch: Option<String>,
    pub(super) destination: Destination,
    /// Via, From, To with our tag, Call-ID, CSeq; shared by all that remember the request.
    reply: Arc<[(Name, String)]>,
}

impl Asked {
    /// None for a request whose CSeq cannot be read: it cannot be answered in sequence.
    pub(super) fn of(request: &Message, source: &Source, local_tag: &str) -> Option<Self> {
        let (cseq, method) = request.cseq().ok()?;
        let mut reply = Message::reply_to(request, 200);
        reply.set_to_tag(local_tag);
        let destination = request.response_destination(source);
        Some(Self { method, cseq, branch: request.branch(), destination, reply: reply.headers.into() })
    }

    /// A response to it, still without headers of its own.
    pub(super) fn response(&self, status: u16) -> Message {
        let mut response = Message::response(status);
        response.headers = self.reply.to_vec();
        response
    }

    /// Whether the request is this one again.
    pub(super) fn is_repeated_by(&self, other: &Self) -> bool {
        self.cseq == other.cseq && self.method == other.method && self.branch == other.branch
    }
}

/// The last request answered besides INVITE, for when it comes again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Served {
    pub(super) asked: Asked,
    pub(super) message: Rendered,
    pub(super) at: u64,
}

impl Leg {
    /// Gives the final response to a request other than INVITE.
    pub(super) fn reply(&mut self, asked: Asked, message: Message, turn: &mut Turn<'_, '_>) {
        let message = turn.respond(&asked, message);
        self.served = Some(Served { asked, message, at: turn.now() });
    }

    /// The same with nothing but a status.
    pub(super) fn reply_status(&mut self, asked: Asked, status: u16, turn: &mut Turn<'_, '_>) {
        let message = asked.response(status);
        self.reply(asked, message, turn);
    }

    /// Refuses a request that comes at the wrong moment; the far end may try again (RFC 3261 14.2).
    pub(super) fn reply_later(&mut self, asked: Asked, turn: &mut Turn<'_, '_>) {
        let message = asked.response(500).with("Retry-After", turn.ctx.seed.below(11));
        self.reply(asked, message, turn);
    }
}
