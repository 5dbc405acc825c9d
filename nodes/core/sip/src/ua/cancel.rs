//! CANCEL, both ways (RFC 3261 9). The answer to the far end's CANCEL itself is the transaction layer's.

use super::asked::Asked;
use super::calling::Cancel;
use super::confirm::Unconfirmed;
use super::turn::{Purpose, Turn};
use super::{Fact, Leg, Phase, TRANSACTION_MS};
use crate::{Message, Method};

/// The Reason of a CANCEL by an edge of ours that answered the INVITE itself while control could not be reached: the caller
/// was told 503, and will acknowledge nothing else.
pub const TURNED_AWAY: &str = "SIP;cause=503;text=\"Turned Away\"";

impl Leg {
    /// Gives the INVITE up. CANCEL waits for a provisional response (RFC 3261 9.1).
    pub(super) fn cancel(&mut self, reason: Option<&str>, turn: &mut Turn<'_, '_>) {
        let Phase::Calling(calling) = &mut self.phase else { return };
        if calling.cancel.is_none() {
            let until = turn.now() + 2 * TRANSACTION_MS;
            calling.cancel = Some(Cancel { reason: reason.map(str::to_owned), sent: false, until });
        }
        self.send_cancel(turn);
    }

    pub(super) fn send_cancel(&mut self, turn: &mut Turn<'_, '_>) {
        let Phase::Calling(calling) = &mut self.phase else { return };
        let (Some(invitation), true) = (&self.invitation, calling.provisional) else { return };
        let Some(cancel) = calling.cancel.as_mut().filter(|cancel| !cancel.sent) else { return };
        cancel.sent = true;
        cancel.until = turn.now() + TRANSACTION_MS;
        let mut message = Message::request(Method::CANCEL, &invitation.uri);
        for route in &invitation.route {
            message.push("Route", route);
        }
        let to = &self.dialog.remote;
        let mut message = self.dialog.headers(message, &Method::CANCEL, invitation.cseq, to);
        if let Some(reason) = &cancel.reason {
            message.push("Reason", reason);
        }
        let (branch, destination) = (invitation.branch.clone(), &invitation.destination);
        let sent = turn.send_as(branch, Purpose::Cancel, &message, destination);
        self.requests.push(sent);
    }

    /// The far end's CANCEL; its own 200 is the transaction layer's. Too late after our final answer, unless that went to nobody.
    pub(super) fn cancelled(&mut self, cancel: &Message, turn: &mut Turn<'_, '_>) {
        let cseq = cancel.cseq().ok().map(|(number, _)| number);
        let same = |asked: &Asked| Some(asked.cseq) == cseq && asked.method == Method::INVITE;
        match &self.phase {
            Phase::Received(received) if same(&received.asked) => {
                let reason = cancel.header("Reason").map(str::to_owned);
                self.over(turn, Fact::Cancelled { reason });
                self.refuse_invite(487, None, None, turn);
            }
            Phase::Confirmed if self.change.asked.as_ref().is_some_and(|change| same(&change.asked)) => {
                self.refuse_change(487, turn);
            }
            Phase::Confirmed if cancel.header("Reason") == Some(TURNED_AWAY) => {
                let is_first = |one: &Unconfirmed| one.is_initial() && same(&one.asked);
                if self.unconfirmed.as_ref().is_some_and(is_first) {
                    self.ack_missing(turn);
                }
            }
            _ => {}
        }
    }
}
