//! The caller acknowledges a reliable provisional response (RFC 3262 3), and what may travel with that:
//! the answer to an early offer, or a further offer.

use super::asked::Asked;
use super::incoming::is_sdp;
use super::turn::{SDP, Turn};
use super::{Fact, Leg, Phase};
use crate::{Message, Method};

impl Leg {
    /// PRACK of the caller (RFC 3262 3); it may carry an answer or a further offer.
    pub(super) fn provisionally_acknowledged(
        &mut self,
        prack: &Message,
        asked: Asked,
        turn: &mut Turn<'_, '_>,
    ) {
        if !self.take_rack(prack) {
            return self.reply_status(asked, 481, turn);
        }
        let mut response = asked.response(200);
        if !prack.body().is_empty() && is_sdp(prack) {
            match self.take_early_description(prack.body(), turn) {
                Ok(Some(answer)) => response = response.with_body(SDP, answer),
                Ok(None) => {}
                Err(status) => response = asked.response(status),
            }
        }
        self.reply(asked, response, turn);
        let Phase::Received(received) = &mut self.phase else { return };
        let ring = received.ring_next.take();
        if let Some(local) = received.answer_next.take() {
            self.answer_now(local, turn);
        } else if let Some(ring) = ring {
            self.ring_now(ring.early, turn);
        }
    }

    /// Whether the PRACK names our last reliable response; after the answer, any of the INVITE's.
    fn take_rack(&mut self, prack: &Message) -> bool {
        let mut words = prack.header("RAck").unwrap_or_default().split_whitespace();
        let mut number = || words.next().and_then(|word| word.parse::<u32>().ok());
        let (Some(rseq), Some(cseq)) = (number(), number()) else { return false };
        if words.next() != Some(Method::INVITE.as_str()) || Some(cseq) != self.invited {
            return false;
        }
        match &mut self.phase {
            Phase::Received(received) if rseq == received.rseq => received.unacked.take().is_some(),
            Phase::Received(_) => false,
            _ => true,
        }
    }

    /// An answer to our early offer, or another offer, which we answer as the one before.
    pub(super) fn take_early_description(
        &mut self,
        body: &[u8],
        turn: &mut Turn<'_, '_>,
    ) -> Result<Option<Vec<u8>>, u16> {
        let refused = |error: crate::sdp::Error| error.status();
        let answer = if self.sdp.awaits_answer() {
            self.sdp.receive_answer(body).map_err(refused)?;
            None
        } else {
            let (local, direction) = self.sdp.local().ok_or(491_u16)?;
            self.sdp.receive_offer(body, &self.codecs).map_err(refused)?;
            Some(self.sdp.answer(local, &self.codecs, direction).map_err(refused)?)
        };
        if let Some(audio) = self.sdp.agreed().cloned() {
            self.fact(turn, Fact::OfferAccepted { audio });
        }
        Ok(answer)
    }

    /// A reliable provisional response was never acknowledged: the INVITE is refused (RFC 3262 3).
    pub(super) fn prack_missing(&mut self, turn: &mut Turn<'_, '_>) {
        if !matches!(&self.phase, Phase::Received(received) if received.unacked.is_some()) {
            return;
        }
        self.over(turn, Fact::AckMissing);
        self.refuse_invite(504, None, None, turn);
    }
}
