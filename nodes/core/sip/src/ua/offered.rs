//! The far end's changes to a session: re-INVITE and UPDATE, glare included (RFC 3261 14.2, RFC 3311 5.2).
//! What changes nothing for the media is answered at once; an offer waits for a decision of the rules.

use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::confirm::Unconfirmed;
use super::dialog::{Peer, contact_of};
use super::fax;
use super::incoming::{Body, body_of};
use super::session_timer::{Terms, TooShort};
use super::turn::{SDP, Turn};
use super::{Ctx, Fact, Leg, Output, Phase};
use crate::sdp::{self, Direction, MediaAddress};
use crate::{Message, Method, Source};

/// A re-INVITE or UPDATE, and the far end as it will be when we accept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AskedChange {
    pub(super) asked: Asked,
    peer: Peer,
    terms: Terms,
}

impl Leg {
    /// A re-INVITE or UPDATE.
    pub(super) fn change_asked(
        &mut self,
        request: &Message,
        asked: Asked,
        source: &Source,
        turn: &mut Turn<'_, '_>,
    ) {
        let body = body_of(request);
        let described = matches!(body, Body::Description(_));
        match &self.phase {
            Phase::Confirmed => {}
            Phase::Received(_) if asked.method == Method::UPDATE => {}
            _ => return self.reply_status(asked, 481, turn),
        }
        let Some(mut peer) = self.peer.clone() else { return };
        peer.refresh(contact_of(request), source);
        peer.hears(request);
        let Ok(terms) = Terms::of(request) else {
            let (name, value) = TooShort::headers();
            let message = asked.response(422).with(name, value);
            return self.reply(asked, message, turn);
        };
        if body == Body::Strange {
            let message = asked.response(415).with("Accept", SDP);
            return self.reply(asked, message, turn);
        }
        if (described || asked.method == Method::INVITE) && !self.take_turn(&asked, turn) {
            return;
        }
        let change = AskedChange { asked, peer, terms };
        match described {
            true => self.offer_asked(request, change, turn),
            false if change.asked.method == Method::UPDATE => self.accept_change(change, None, false, turn),
            false => self.offerless_asked(change, turn),
        }
    }

    /// Whether a change of the far end may begin now; otherwise it is refused for the moment.
    fn take_turn(&mut self, asked: &Asked, turn: &mut Turn<'_, '_>) -> bool {
        let owed = self.unconfirmed.as_ref().is_some_and(Unconfirmed::carries_offer);
        if self.change.asked.is_some() || owed {
            self.reply_later(asked.clone(), turn);
            return false;
        }
        let ack_due = self.invitation.as_ref().is_some_and(|invitation| invitation.ack_due);
        if self.change.ours.is_some() || ack_due {
            self.reply_status(asked.clone(), 491, turn);
            return false;
        }
        if asked.method == Method::INVITE {
            self.imply_ack(turn);
        }
        true
    }

    /// A new INVITE shows that our 2xx arrived, even if its ACK got lost.
    fn imply_ack(&mut self, turn: &mut Turn<'_, '_>) {
        if self.unconfirmed.take().is_some_and(|unconfirmed| unconfirmed.is_initial()) {
            self.fact(turn, Fact::Confirmed);
        }
    }

    fn offer_asked(&mut self, request: &Message, change: AskedChange, turn: &mut Turn<'_, '_>) {
        if matches!(self.phase, Phase::Received(_)) {
            return self.early_offer_asked(request, change, turn);
        }
        let audio = match self.sdp.receive_offer(request.body(), &self.codecs) {
            Ok(audio) => audio,
            Err(sdp::Error::NoCommonAudio) if turn.ctx.local.fax => {
                return self.fax_asked(request, change, turn);
            }
            Err(error) => return self.reply_status(change.asked, error.status(), turn),
        };
        if let Some((local, direction)) = self.sdp.local().filter(|_| !self.sdp.offer_differs()) {
            let answer = self.sdp.answer(local, &self.codecs, direction).ok();
            return self.accept_change(change, answer, false, turn);
        }
        if change.asked.method == Method::INVITE {
            let trying = change.asked.response(100);
            turn.respond(&change.asked, trying);
        }
        self.change.asked = Some(change);
        self.fact(turn, Fact::OfferReceived { audio });
    }

    /// UPDATE before our answer: allowed once the first offer and answer are through (RFC 3311 5.1).
    fn early_offer_asked(&mut self, request: &Message, change: AskedChange, turn: &mut Turn<'_, '_>) {
        let settled = matches!(&self.phase, Phase::Received(received) if received.is_settled());
        if !settled || self.sdp.awaits_answer() {
            return self.reply_later(change.asked, turn);
        }
        match self.take_early_description(request.body(), turn) {
            Ok(answer) => self.accept_change(change, answer, false, turn),
            Err(status) => self.reply_status(change.asked, status, turn),
        }
    }

    /// A re-INVITE without offer: ours is the present session; the ACK answers it.
    fn offerless_asked(&mut self, change: AskedChange, turn: &mut Turn<'_, '_>) {
        let Some(present) = self.sdp.local() else {
            return self.reply_status(change.asked, 488, turn);
        };
        let offer = fax::describe(&mut self.sdp, &self.codecs, None, present);
        self.accept_change(change, Some(offer), true, turn);
    }

    pub(super) fn accept_change(
        &mut self,
        change: AskedChange,
        body: Option<Vec<u8>>,
        offering: bool,
        turn: &mut Turn<'_, '_>,
    ) {
        let AskedChange { asked, peer, terms } = change;
        self.peer = Some(peer);
        let message = turn.described(asked.response(200), asked.destination.transport);
        let mut message = self.timer.agree(&terms, turn.now(), message);
        if let Some(body) = body {
            message = message.with_body(SDP, body);
        }
        if asked.method == Method::INVITE {
            let message = turn.respond(&asked, message);
            self.unconfirmed = Some(Unconfirmed::new(asked, message, offering, false, turn.now()));
        } else {
            self.reply(asked, message, turn);
        }
    }

    /// Answers the offer that came with the last `OfferReceived` after the leg was made: in the 200 of a
    /// re-INVITE or UPDATE, or in the ACK when our INVITE had no offer.
    pub fn accept_offer(
        &mut self,
        local: MediaAddress,
        direction: Direction,
        ctx: &mut Ctx<'_>,
    ) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            if leg.invitation.as_ref().is_some_and(|invitation| invitation.ack_due) {
                let answer = leg.sdp.answer(local, &leg.codecs, direction).ok();
                return leg.confirm_call(answer, turn);
            }
            let Some(change) = leg.change.asked.take() else { return };
            let answer = leg.sdp.answer(local, &leg.codecs, direction).ok();
            leg.audio_is_back();
            leg.accept_change(change, answer, false, turn);
        })
    }

    /// Refuses that offer; the session goes on as it was. Where there is none yet, the call ends.
    pub fn refuse_offer(&mut self, status: u16, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            if leg.invitation.as_ref().is_some_and(|invitation| invitation.ack_due) {
                leg.silent = true;
                leg.sdp.withdraw();
                leg.acknowledge_call(None, turn);
                return leg.say_bye(None, turn);
            }
            leg.refuse_change(status, turn);
        })
    }

    pub(super) fn refuse_change(&mut self, status: u16, turn: &mut Turn<'_, '_>) {
        let Some(change) = self.change.asked.take() else { return };
        self.sdp.withdraw();
        let status = if (400..700).contains(&status) { status } else { 488 };
        self.reply_status(change.asked, status, turn);
    }
}
