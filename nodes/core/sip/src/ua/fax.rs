//! T.38 in the place of a dialog's audio, on a standing call: the far end's offers wait for a decision as all others do,
//! ours are changes as all others are. What an offer of ours is to turn the stream into is its [`Turning`].

use serde::{Deserialize, Serialize};

use super::change::{Offer, Ours};
use super::offered::AskedChange;
use super::turn::Turn;
use super::{Ctx, Fact, Leg, Output, Phase};
use crate::sdp::{self, Codec, Direction, Fax, MediaAddress, g711};
use crate::{Message, Method};

/// What the stream is to become. Without one it stays what it is when the offer goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Turning {
    /// Audio again.
    Audio,
    /// Audio in nothing but G.711, for what is no speech.
    Plain,
    /// T.38 with these attributes.
    Fax(Vec<String>),
}

/// The description of an offer.
pub(super) fn describe(
    sdp: &mut sdp::Session,
    codecs: &[Codec],
    turning: Option<&Turning>,
    (local, direction): Offer,
) -> Vec<u8> {
    match (turning, sdp.said_of_fax().map(<[String]>::to_vec)) {
        (Some(Turning::Fax(terms)), _) => sdp.offer_fax(local, terms, direction),
        (None, Some(terms)) => sdp.offer_fax(local, &terms, direction),
        (Some(Turning::Plain), _) => sdp.offer(local, &g711(), direction),
        (Some(Turning::Audio), _) | (None, None) => sdp.offer(local, codecs, direction),
    }
}

impl Leg {
    /// The fax that has taken audio's place.
    pub fn fax(&self) -> Option<&Fax> {
        self.sdp.fax()
    }

    /// What the far end offers in audio's place and waits for: [`Leg::accept_fax`] or [`Leg::refuse_offer`].
    pub fn offered_fax(&self) -> Option<&Fax> {
        self.sdp.offered_fax()
    }

    /// What we have said of the fax that is agreed on: the attributes of our line.
    pub fn said_of_fax(&self) -> Option<&[String]> {
        self.sdp.said_of_fax()
    }

    /// Whether T.38 may be offered to the far end: the call stands, and its sound may be unencrypted.
    pub fn takes_fax(&self) -> bool {
        self.stands() && self.sdp.takes_fax()
    }

    fn stands(&self) -> bool {
        matches!(self.phase, Phase::Confirmed) && !self.silent
    }

    /// Offers T.38 with these attributes in audio's place, as [`Leg::offer`] does. Ends in `FaxAccepted` or `FaxRefused`.
    pub fn offer_fax(&mut self, local: MediaAddress, terms: Vec<String>, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn_into(Turning::Fax(terms), local, ctx)
    }

    /// Offers audio again, as [`Leg::offer`] does.
    pub fn offer_audio(&mut self, local: MediaAddress, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn_into(Turning::Audio, local, ctx)
    }

    /// Offers audio in nothing but G.711, as [`Leg::offer`] does.
    pub fn offer_g711(&mut self, local: MediaAddress, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn_into(Turning::Plain, local, ctx)
    }

    fn turn_into(&mut self, turning: Turning, local: MediaAddress, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, _| {
            if leg.stands() {
                leg.change.wanted = Some((local, Direction::SendRecv));
                leg.change.turning = Some(turning);
            }
        })
    }

    /// An offer of T.38 of ours that has not gone out yet never will. One at another address than the far end knows stays,
    /// without T.38.
    pub fn withhold_fax(&mut self) {
        if matches!(self.change.turning, Some(Turning::Fax(_))) {
            self.change.turning = None;
            self.drop_idle_offer();
        }
    }

    /// Answers the offer that came with `FaxOffered`, with these attributes. Nothing where it waits no longer.
    pub fn accept_fax(
        &mut self,
        local: MediaAddress,
        terms: &[String],
        direction: Direction,
        ctx: &mut Ctx<'_>,
    ) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            if leg.sdp.offered_fax().is_none() {
                return;
            }
            let Some(change) = leg.change.asked.take() else { return };
            let answer = leg.sdp.answer_fax(local, terms, direction).ok();
            leg.withhold_fax();
            leg.accept_change(change, answer, false, turn);
        })
    }

    /// A re-INVITE or UPDATE without audio that could be taken.
    pub(super) fn fax_asked(&mut self, request: &Message, change: AskedChange, turn: &mut Turn<'_, '_>) {
        let fax = match self.sdp.receive_fax(request.body()) {
            Ok(fax) => fax,
            Err(error) => return self.reply_status(change.asked, error.status(), turn),
        };
        let same = self.sdp.local().filter(|_| !self.sdp.offer_differs());
        let said = self.sdp.said_of_fax().map(<[String]>::to_vec);
        if let (Some((local, direction)), Some(said)) = (same, said) {
            let answer = self.sdp.answer_fax(local, &said, direction).ok();
            return self.accept_change(change, answer, false, turn);
        }
        if change.asked.method == Method::INVITE {
            let trying = change.asked.response(100);
            turn.respond(&change.asked, trying);
        }
        self.change.asked = Some(change);
        self.fact(turn, Fact::FaxOffered { fax });
    }

    /// The 2xx to an offer of T.38 of ours. Who says by it that there is no T.38 has heard that there is no audio, too, and
    /// is offered that again.
    pub(super) fn fax_answered(&mut self, ours: &Ours, answer: &[u8], turn: &mut Turn<'_, '_>) {
        match (self.sdp.receive_fax_answer(answer), ours.offer) {
            (Ok(fax), Some(_)) => self.fact(turn, Fact::FaxAccepted { fax }),
            (Ok(_), None) => {}
            (Err(_), _) => {
                self.sdp.withdraw();
                if self.sdp.fax().is_none() {
                    self.change.wanted = self.change.wanted.or(self.sdp.local());
                    self.change.turning = Some(Turning::Audio);
                }
                self.change_refused(ours, 488, turn);
            }
        }
    }

    /// The far end has audio again by its own offer: ours, which waits, is not needed, unless our address is another one.
    pub(super) fn audio_is_back(&mut self) {
        if self.change.turning == Some(Turning::Audio) {
            self.change.turning = None;
            self.drop_idle_offer();
        }
    }

    /// What waits says nothing that the far end does not know.
    fn drop_idle_offer(&mut self) {
        if self.change.wanted == self.sdp.local() {
            self.change.wanted = None;
        }
    }
}
