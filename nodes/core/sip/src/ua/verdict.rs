//! The final answer to an incoming INVITE: 200 with our description, or a refusal.

use super::close::{Closing, Rejected};
use super::confirm::Unconfirmed;
use super::turn::{SDP, Turn};
use super::{Ctx, Leg, Output, Phase};
use crate::sdp::{Direction, MediaAddress};

impl Leg {
    /// Of what the far end offers these encodings come first in our first answer, which is still to be given.
    pub fn prefer(&mut self, names: Vec<String>) {
        self.sdp.prefer(names);
    }

    /// 200 with our description, unless a reliable response carried it already. Waits by itself for the
    /// PRACK of such a response. If early media used another address, a re-INVITE follows the ACK.
    pub fn answer(&mut self, local: MediaAddress, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| leg.answer_now(local, turn))
    }

    pub(super) fn answer_now(&mut self, local: MediaAddress, turn: &mut Turn<'_, '_>) {
        let Phase::Received(received) = &mut self.phase else { return };
        if received.unacked.as_ref().is_some_and(|unacked| unacked.described) {
            received.answer_next = Some(local);
            return;
        }
        let offering = received.early.is_none() && !received.has_offer;
        let body = match &received.early {
            Some(early) if early.reliable => None,
            Some(_) => self.sdp.sent().map(<[u8]>::to_vec),
            None if offering => Some(self.sdp.offer(local, &self.codecs, Direction::SendRecv)),
            None => self.sdp.answer(local, &self.codecs, Direction::SendRecv).ok(),
        };
        let moved = received.early.as_ref().is_some_and(|early| early.local != local);
        self.change.wanted = moved.then_some((local, Direction::SendRecv));
        let message = received.response(200, turn);
        let mut message = self.timer.agree(&received.terms, turn.now(), message);
        if let Some(body) = body {
            message = message.with_body(SDP, body);
        }
        let message = turn.respond(&received.asked, message);
        let asked = received.asked.clone();
        self.unconfirmed = Some(Unconfirmed::new(asked, message, offering, true, turn.now()));
        self.phase = Phase::Confirmed;
    }

    /// A final refusal; `reason` is the value of a Reason header, `retry_after` in seconds. Statuses out of
    /// 300 to 699 become 500.
    pub fn reject(
        &mut self,
        status: u16,
        reason: Option<&str>,
        retry_after: Option<u32>,
        ctx: &mut Ctx<'_>,
    ) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            if matches!(leg.phase, Phase::Received(_)) {
                leg.silent = true;
                leg.refuse_invite(status, reason, retry_after, turn);
            }
        })
    }

    pub(super) fn refuse_invite(
        &mut self,
        status: u16,
        reason: Option<&str>,
        retry_after: Option<u32>,
        turn: &mut Turn<'_, '_>,
    ) {
        let Phase::Received(received) = &self.phase else { return };
        let status = if (300..700).contains(&status) { status } else { 500 };
        let mut message = received.asked.response(status);
        if let Some(reason) = reason {
            message.push("Reason", reason);
        }
        if let Some(seconds) = retry_after {
            message.push("Retry-After", seconds);
        }
        let message = turn.respond(&received.asked, message);
        let rejected = Rejected { asked: received.asked.clone(), message };
        self.phase = Phase::Closing(Box::new(Closing::rejected(rejected, turn.now())));
    }
}
