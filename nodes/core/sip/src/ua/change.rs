//! Our own changes to a session: re-INVITE, UPDATE, refreshes; one at a time, with glare (RFC 3261 14.1,
//! RFC 3311). What is wanted waits here until the dialog is free.

use serde::{Deserialize, Serialize};

use super::dialog::contact_of;
use super::fax::{self, Turning};
use super::incoming::is_sdp;
use super::offered::AskedChange;
use super::turn::{ALLOW, Purpose, SDP, Turn};
use super::{Ctx, Fact, Leg, Output, Phase};
use crate::sdp::{Direction, MediaAddress};
use crate::{Message, Method, Source};

/// After so many retries an offer counts as refused.
const MAX_ATTEMPTS: u8 = 8;
/// A far end that knows the dialog no more has most likely sent BYE, which crossed our request or was lost: it is repeated
/// every 4 s at least (RFC 3261 section 17.1.2.2).
const BYE_COMES_MS: u64 = 4_500;

pub(super) type Offer = (MediaAddress, Direction);

/// Changes of the session, ours and the far end's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Change {
    /// The far end's, which waits for a decision.
    pub(super) asked: Option<AskedChange>,
    /// Ours in the air.
    pub(super) ours: Option<Ours>,
    /// What to offer as soon as possible.
    pub(super) wanted: Option<Offer>,
    /// What that is to turn the stream into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) turning: Option<Turning>,
    /// The session timer asks for a refresh.
    pub(super) refresh: bool,
    pub(super) retry_at: Option<u64>,
    attempts: u8,
    /// The far end knows the dialog no more; without its BYE it has vanished then.
    #[serde(default)]
    pub(super) gone_at: Option<u64>,
}

/// A change of ours in the air.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Ours {
    /// None for a refresh.
    pub(super) offer: Option<Offer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turning: Option<Turning>,
    /// It carries a description.
    pub(super) described: bool,
}

impl Leg {
    /// Offers a session: hold, resume, or media that moved. Waits by itself while another change is under
    /// way, and tries again after a glare; a later offer takes the place of a waiting one. Ends in
    /// `OfferAccepted` or `OfferRefused`. Before the answer it needs UPDATE and a reliable 183; without
    /// them it waits for the answer.
    pub fn offer(&mut self, local: MediaAddress, direction: Direction, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, _| {
            if !leg.silent && !matches!(leg.phase, Phase::Closing(_) | Phase::Ended) {
                leg.change.wanted = Some((local, direction));
            }
        })
    }

    /// Whether an offer of ours waits to be sent or for its answer.
    pub fn is_offering(&self) -> bool {
        let in_the_air = self.change.ours.as_ref().is_some_and(|ours| ours.offer.is_some());
        in_the_air || self.change.wanted.is_some()
    }

    /// Starts the next change if the dialog is free for it.
    pub(super) fn pump(&mut self, turn: &mut Turn<'_, '_>) {
        let change = &self.change;
        let waits = change.retry_at.is_some() || change.gone_at.is_some();
        if change.asked.is_some() || change.ours.is_some() || waits {
            return;
        }
        match &self.phase {
            Phase::Confirmed if self.is_free() => {}
            Phase::Received(received) if received.is_settled() && self.peer_updates() => {}
            _ => return,
        }
        let early = matches!(self.phase, Phase::Received(_));
        if let Some(offer) = self.change.wanted.take() {
            let method = if early { Method::UPDATE } else { Method::INVITE };
            let turning = self.change.turning.take();
            self.send_change(&method, Some(offer), turning, turn);
        } else if std::mem::take(&mut self.change.refresh) {
            let method = if self.peer_updates() { Method::UPDATE } else { Method::INVITE };
            self.send_change(&method, None, None, turn);
        }
    }

    /// No INVITE transaction is under way in either direction, and no offer unanswered.
    fn is_free(&self) -> bool {
        self.unconfirmed.is_none() && !self.invitation.as_ref().is_some_and(|invitation| invitation.ack_due)
    }

    fn peer_updates(&self) -> bool {
        self.peer.as_ref().is_some_and(|peer| peer.updates)
    }

    /// Sends a re-INVITE, which always describes the session, or an UPDATE, which does for an offer.
    fn send_change(
        &mut self,
        method: &Method,
        offer: Option<Offer>,
        turning: Option<Turning>,
        turn: &mut Turn<'_, '_>,
    ) {
        let Some(peer) = &self.peer else { return };
        let describe = if *method == Method::INVITE { offer.or(self.sdp.local()) } else { offer };
        let cseq = self.dialog.next_cseq();
        let message = self
            .dialog
            .request(method, cseq, peer)
            .with("Contact", turn.contact(peer.destination.transport))
            .with("Allow", ALLOW)
            .with("Supported", turn.supported())
            .with("User-Agent", &turn.ctx.local.user_agent);
        let mut message = self.timer.ask(message);
        if let Some(describe) = describe {
            let body = fax::describe(&mut self.sdp, &self.codecs, turning.as_ref(), describe);
            message = message.with_body(SDP, body);
        }
        let sent = turn.send(Purpose::Change, &message, &peer.destination);
        self.requests.push(sent);
        self.change.ours = Some(Ours { offer, turning, described: describe.is_some() });
    }

    /// The final response to a change of ours.
    pub(super) fn change_answered(&mut self, response: &Message, source: &Source, turn: &mut Turn<'_, '_>) {
        let status = response.status().unwrap_or(500);
        let ours = self.change.ours.take();
        let accepted = (200..300).contains(&status);
        if accepted {
            self.acknowledge_change(response, source, turn);
        }
        let Some(ours) = ours.filter(|_| matches!(self.phase, Phase::Confirmed | Phase::Received(_))) else {
            return;
        };
        if accepted {
            return self.change_accepted(&ours, response, turn);
        }
        if ours.described {
            self.sdp.withdraw();
        }
        match status {
            481 => self.change.gone_at = Some(turn.now() + BYE_COMES_MS),
            491 => self.try_again(ours, None, status, turn),
            500 if response.u32_of("Retry-After").is_some_and(|seconds| seconds <= 10) => {
                let seconds = response.u32_of("Retry-After").map(u64::from);
                self.try_again(ours, seconds, status, turn);
            }
            422 if self.timer.raise(response) => self.try_again(ours, Some(0), status, turn),
            405 | 501 if ours.offer.is_none() && self.peer_updates() => self.refresh_by_invite(),
            _ => self.change_refused(&ours, status, turn),
        }
    }

    /// Notes where the far end is now, for the ACK goes there already (RFC 3261 section 12.2.1.2), and sends it.
    fn acknowledge_change(&mut self, response: &Message, source: &Source, turn: &mut Turn<'_, '_>) {
        let (Some(peer), Ok((cseq, method))) = (&mut self.peer, response.cseq()) else { return };
        peer.refresh(contact_of(response), source);
        peer.hears(response);
        if method == Method::INVITE {
            let peer = peer.clone();
            self.acknowledge(&peer, cseq, None, turn);
        }
    }

    fn change_accepted(&mut self, ours: &Ours, response: &Message, turn: &mut Turn<'_, '_>) {
        self.change.attempts = 0;
        self.timer.agreed(response, turn.now());
        if !ours.described {
            return;
        }
        let answer = if is_sdp(response) { response.body() } else { &[] };
        if self.sdp.awaits_fax() {
            return self.fax_answered(ours, answer, turn);
        }
        match (self.sdp.receive_answer(answer), ours.offer) {
            (Ok(audio), Some(_)) => self.fact(turn, Fact::OfferAccepted { audio }),
            (Ok(_), None) => {}
            (Err(_), _) => {
                self.sdp.withdraw();
                self.change_refused(ours, 488, turn);
            }
        }
    }

    /// Puts the change back and waits: as told, or as RFC 3261 14.1 wants it after a glare.
    fn try_again(&mut self, ours: Ours, seconds: Option<u64>, status: u16, turn: &mut Turn<'_, '_>) {
        if self.change.attempts >= MAX_ATTEMPTS {
            return self.change_refused(&ours, status, turn);
        }
        self.change.attempts += 1;
        match ours.offer {
            Some(offer) => {
                self.change.wanted = self.change.wanted.or(Some(offer));
                self.change.turning = self.change.turning.take().or(ours.turning);
            }
            None => self.change.refresh = true,
        }
        let seed = &mut turn.ctx.seed;
        let wait = match seconds {
            Some(seconds) => seconds * 1000,
            None if self.dialog.ours => 2_100 + 10 * seed.below(191),
            None => 10 * seed.below(201),
        };
        self.change.retry_at = Some(turn.now() + wait);
    }

    fn refresh_by_invite(&mut self) {
        if let Some(peer) = &mut self.peer {
            peer.updates = false;
        }
        self.change.refresh = true;
    }

    /// The change is over without success; the session goes on as it was.
    pub(super) fn change_refused(&mut self, ours: &Ours, status: u16, turn: &mut Turn<'_, '_>) {
        self.change.attempts = 0;
        match (ours.offer, &ours.turning) {
            (Some(_), Some(Turning::Fax(_))) => self.fact(turn, Fact::FaxRefused { status }),
            (Some(_), _) => self.fact(turn, Fact::OfferRefused { status }),
            (None, _) => self.timer.try_later(turn.now()),
        }
    }

    /// No answer at all to a change: the dialog is kept, for the media may still flow.
    pub(super) fn change_failed(&mut self, status: u16, turn: &mut Turn<'_, '_>) {
        let Some(ours) = self.change.ours.take() else { return };
        if ours.described {
            self.sdp.withdraw();
        }
        self.change_refused(&ours, status, turn);
    }

    /// The far end knows the dialog no more, and has not said why.
    pub(super) fn vanished(&mut self, turn: &mut Turn<'_, '_>) {
        self.over(turn, Fact::Vanished);
        self.end();
    }
}
