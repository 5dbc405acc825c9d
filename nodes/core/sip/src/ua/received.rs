//! An incoming INVITE before its final answer: 100, ringing, early media, reliable provisional responses
//! (RFC 3262), the answer and the refusal.

use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::session_timer::Terms;
use super::turn::{SDP, Turn};
use super::{Ctx, Leg, Output, Phase, TRANSACTION_MS};
use crate::sdp::{Direction, MediaAddress};
use crate::{Message, Rendered, Transport};

/// A provisional response is repeated so that proxies do not give up (RFC 3261 13.3.1.1).
const REFRESH_MS: u64 = 60_000;

/// The INVITE's server transaction and what was said in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Received {
    pub(super) asked: Asked,
    record_routes: Vec<String>,
    transport: Transport,
    pub(super) has_offer: bool,
    /// The far end takes reliable provisional responses.
    reliable: bool,
    pub(super) rseq: u32,
    pub(super) unacked: Option<Unacked>,
    /// The last provisional response, whole.
    pub(super) last: Option<Rendered>,
    ringing: Option<u16>,
    pub(super) refresh_at: Option<u64>,
    pub(super) early: Option<Early>,
    pub(super) ring_next: Option<NextRing>,
    pub(super) answer_next: Option<MediaAddress>,
    pub(super) terms: Terms,
}

/// A reliable provisional response that waits for its PRACK.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Unacked {
    pub(super) described: bool,
    pub(super) until: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Early {
    pub(super) local: MediaAddress,
    pub(super) reliable: bool,
}

/// A ringing that waits for the PRACK of the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct NextRing {
    pub(super) early: Option<MediaAddress>,
}

impl Received {
    pub(super) fn new(asked: Asked, invite: &Message, has_offer: bool, rseq: u32, terms: Terms) -> Self {
        let transport = asked.destination.transport;
        Self {
            asked,
            record_routes: invite.headers("Record-Route").map(str::to_owned).collect(),
            transport,
            has_offer,
            reliable: invite.has_token("Supported", "100rel") || invite.has_token("Require", "100rel"),
            rseq,
            unacked: None,
            last: None,
            ringing: None,
            refresh_at: None,
            early: None,
            ring_next: None,
            answer_next: None,
            terms,
        }
    }

    pub(super) fn rings(&self) -> bool {
        self.ringing.is_some()
    }

    /// Whether the first offer and answer are exchanged for good, so that UPDATE may carry another.
    pub(super) fn is_settled(&self) -> bool {
        self.unacked.is_none() && self.early.as_ref().is_some_and(|early| early.reliable)
    }

    pub(super) fn response(&self, status: u16, turn: &Turn<'_, '_>) -> Message {
        let mut message = self.asked.response(status);
        for route in &self.record_routes {
            message.push("Record-Route", route);
        }
        turn.described(message, self.transport)
    }
}

impl Leg {
    /// 100 Trying, once.
    pub fn trying(&mut self, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            let Phase::Received(received) = &mut leg.phase else { return };
            if received.last.is_none() {
                let message = received.asked.response(100);
                received.last = Some(turn.respond(&received.asked, message));
            }
        })
    }

    /// 180, or 183 with our description when the caller shall hear us before the answer. Reliable when the
    /// far end takes that; waits by itself for the PRACK of the one before. An INVITE without offer gets
    /// early media only if the far end takes reliable responses.
    pub fn ring(&mut self, early: Option<MediaAddress>, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| leg.ring_now(early, turn))
    }

    pub(super) fn ring_now(&mut self, early: Option<MediaAddress>, turn: &mut Turn<'_, '_>) {
        let Phase::Received(received) = &mut self.phase else { return };
        if received.answer_next.is_some() {
            return;
        }
        if received.unacked.is_some() {
            received.ring_next = Some(NextRing { early });
            return;
        }
        let body = self.early_description(early);
        self.send_ringing(early.is_some(), body, turn);
    }

    /// Our description for a provisional response, if there is one to send.
    fn early_description(&mut self, early: Option<MediaAddress>) -> Option<Vec<u8>> {
        let Phase::Received(received) = &mut self.phase else { return None };
        let local = early?;
        if let Some(early) = &received.early {
            return if early.reliable { None } else { self.sdp.sent().map(<[u8]>::to_vec) };
        }
        let body = match (received.has_offer, received.reliable) {
            (true, _) => self.sdp.answer(local, &self.codecs, Direction::SendRecv).ok()?,
            (false, true) => self.sdp.offer(local, &self.codecs, Direction::SendRecv),
            (false, false) => return None,
        };
        received.early = Some(Early { local, reliable: received.reliable });
        Some(body)
    }

    fn send_ringing(&mut self, early: bool, body: Option<Vec<u8>>, turn: &mut Turn<'_, '_>) {
        let Phase::Received(received) = &mut self.phase else { return };
        let status = if early && received.early.is_some() { 183 } else { 180 };
        let mut message = received.response(status, turn);
        if received.reliable {
            received.rseq += 1;
            message = message.with("Require", "100rel").with("RSeq", received.rseq);
            let until = turn.now() + TRANSACTION_MS;
            received.unacked = Some(Unacked { described: body.is_some(), until });
        }
        if let Some(body) = body {
            message = message.with_body(SDP, body);
        }
        received.last = Some(turn.respond(&received.asked, message));
        received.ringing = Some(status);
        received.refresh_at = Some(turn.now() + REFRESH_MS);
    }

    /// Says the last provisional response again (a new one, if they are reliable).
    pub(super) fn ring_again(&mut self, turn: &mut Turn<'_, '_>) {
        let Phase::Received(received) = &mut self.phase else { return };
        let early = received.early.as_ref().map(|early| early.local);
        let early = early.filter(|_| received.ringing == Some(183));
        received.refresh_at = Some(turn.now() + REFRESH_MS);
        self.ring_now(early, turn);
    }
}
