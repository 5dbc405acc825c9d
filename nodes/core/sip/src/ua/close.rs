//! The ways a leg ends: BYE both ways, CANCEL of the far end, hanging up in every phase.

use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::dialog::Peer;
use super::turn::{Purpose, Turn};
use super::{Ctx, Fact, Leg, Output, Phase, TRANSACTION_MS};
use crate::{Destination, Message, Method, Rendered, Replacing};

/// What is still owed when the call is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Closing {
    /// A refusal of the INVITE: kept until its retransmissions have died out.
    pub(super) rejected: Option<Rejected>,
    /// BYE may only follow the ACK (RFC 3261 15).
    bye_after_ack: Option<Hangup>,
    /// After that nothing is owed, answered or not.
    pub(super) until: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Hangup {
    reason: Option<String>,
}

/// A final refusal as it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rejected {
    pub(super) asked: Asked,
    pub(super) message: Rendered,
}

impl Closing {
    pub(super) fn rejected(rejected: Rejected, now: u64) -> Self {
        Self { rejected: Some(rejected), bye_after_ack: None, until: now + TRANSACTION_MS }
    }
}

impl Leg {
    /// Hangs up, whatever the phase asks for: CANCEL, BYE, or 480 to an unanswered INVITE. `reason` is the
    /// value of a Reason header. No facts follow; ask [`Leg::is_ended`]. An answer that crosses the CANCEL
    /// gets ACK and BYE.
    pub fn hang_up(&mut self, reason: Option<&str>, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            if matches!(leg.phase, Phase::Closing(_) | Phase::Ended) {
                return;
            }
            leg.silent = true;
            match &leg.phase {
                Phase::Received(_) => leg.refuse_invite(480, reason, None, turn),
                Phase::Calling(_) => leg.cancel(reason, turn),
                _ => leg.leave(reason, turn),
            }
        })
    }

    fn leave(&mut self, reason: Option<&str>, turn: &mut Turn<'_, '_>) {
        if self.invitation.as_ref().is_some_and(|invitation| invitation.ack_due) {
            self.acknowledge_call(None, turn);
        }
        if self.unconfirmed.as_ref().is_some_and(|unconfirmed| unconfirmed.is_initial()) {
            self.refuse_change(487, turn);
            let until = turn.now() + 4 * TRANSACTION_MS;
            let hangup = Hangup { reason: reason.map(str::to_owned) };
            self.phase =
                Phase::Closing(Box::new(Closing { rejected: None, bye_after_ack: Some(hangup), until }));
            return;
        }
        self.say_bye(reason, turn);
    }

    /// The ACK came, or will not come: the BYE that waited for it goes out.
    pub(super) fn bye_after_ack(&mut self, turn: &mut Turn<'_, '_>) {
        let Phase::Closing(closing) = &mut self.phase else { return };
        if let Some(hangup) = closing.bye_after_ack.take() {
            self.say_bye(hangup.reason.as_deref(), turn);
        }
    }

    /// Ends the dialog with BYE; requests of the far end still open get 487 (RFC 3261 15.1.2).
    pub(super) fn say_bye(&mut self, reason: Option<&str>, turn: &mut Turn<'_, '_>) {
        self.refuse_change(487, turn);
        self.timer.stop();
        self.unconfirmed = None;
        let Some(peer) = self.peer.clone() else { return };
        self.bye(&peer, reason, turn);
        let until = turn.now() + 2 * TRANSACTION_MS;
        self.phase = Phase::Closing(Box::new(Closing { rejected: None, bye_after_ack: None, until }));
    }

    pub(super) fn bye(&mut self, peer: &Peer, reason: Option<&str>, turn: &mut Turn<'_, '_>) {
        let cseq = self.dialog.next_cseq();
        let mut message = self.dialog.request(&Method::BYE, cseq, peer);
        message.push("User-Agent", &turn.ctx.local.user_agent);
        if let Some(reason) = reason {
            message.push("Reason", reason);
        }
        let sent = turn.send(Purpose::Bye, &message, &peer.destination);
        self.requests.push(sent);
    }

    /// Our BYE was not answered. Who is reached by a WebSocket alone may be back before long, by another one. Not
    /// noted where nothing is known of Replaces: the rules keep no calls then, and states are as before.
    pub(super) fn bye_failed(&mut self, sent_to: &Destination, turn: &Turn<'_, '_>) {
        let are_kept = turn.ctx.local.replaces != Replacing::Unknown;
        let is_the_dialogs = self.destination() == Some(sent_to) && matches!(self.phase, Phase::Closing(_));
        self.unheard |= are_kept && is_the_dialogs && sent_to.transport.is_websocket();
    }

    /// Whether the far end may not know that the dialog has ended: our BYE has no answer, or got none.
    pub fn is_unheard(&self) -> bool {
        let waits = || self.requests.iter().any(|sent| sent.purpose == Purpose::Bye);
        matches!(self.phase, Phase::Closing(_) | Phase::Ended) && (self.unheard || waits())
    }

    /// BYE once more, as a request of its own, to a far end that is reached elsewhere by now. Nothing to who knows.
    pub fn hang_up_again(&mut self, reason: Option<&str>, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            if leg.is_unheard() {
                leg.requests.retain(|sent| sent.purpose != Purpose::Bye);
                leg.unheard = false;
                leg.say_bye(reason, turn);
            }
        })
    }

    /// The far end's BYE, in any phase.
    pub(super) fn bye_asked(&mut self, request: &Message, asked: Asked, turn: &mut Turn<'_, '_>) {
        self.reply_status(asked, 200, turn);
        let reason = request.header("Reason").map(str::to_owned);
        match &self.phase {
            Phase::Received(_) => {
                self.over(turn, Fact::HungUp { reason });
                self.refuse_invite(487, None, None, turn);
            }
            Phase::Closing(closing) if closing.rejected.is_some() => {}
            _ => {
                self.refuse_change(487, turn);
                self.over(turn, Fact::HungUp { reason });
                self.end();
            }
        }
    }

    /// Nothing is owed any more.
    pub(super) fn end(&mut self) {
        self.phase = Phase::Ended;
        self.settle();
    }

    /// Ends the leg when nothing is left to wait for, and forgets what only a living call needs. A
    /// re-INVITE of ours stays: its 2xx is still acknowledged.
    pub(super) fn settle(&mut self) {
        if let Phase::Closing(closing) = &self.phase {
            let leaving = self.requests.iter().any(|sent| sent.purpose == Purpose::Bye);
            if closing.rejected.is_none() && closing.bye_after_ack.is_none() && !leaving {
                self.phase = Phase::Ended;
            }
        }
        if matches!(self.phase, Phase::Ended) {
            self.requests.retain(|sent| sent.method == Method::INVITE || sent.purpose == Purpose::Bye);
            self.unconfirmed = None;
            self.transfer = None;
            self.change = super::Change::default();
            self.timer.stop();
        }
    }
}
