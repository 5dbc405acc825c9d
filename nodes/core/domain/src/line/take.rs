//! What comes in for a dialog: messages, failures of what it sent, its own timers.

use mangrove_proto::{edge, id::LegId, story::Kind};
use mangrove_sip::{
    Message, Method, Source,
    ua::{self, Failure},
};

use super::{Fact, act::operate};
use crate::{broken, call::Call, cause::Cause, scene::Scene, story};

/// A message inside the dialog. It came through `edge`, which carries the dialog from now on.
pub(crate) fn receive(
    call: &mut Call,
    leg: LegId,
    (message, bytes): (&Message, &[u8]),
    source: &Source,
    edge: &str,
    scene: &mut Scene<'_>,
) {
    broken::swallow_poison();
    if let Some(party) = call.party_mut(leg) {
        edge.clone_into(&mut party.line.edge);
    }
    if let Some(party) = call.party(leg) {
        scene.effects.story.push(story::message(call, scene.stamp.moment(), party, Kind::Received, bytes));
    }
    operate(call, leg, scene, |line, ctx| line.receive(message, source, ctx));
}

/// Something the dialog sent will not be answered.
pub(crate) fn failed(call: &mut Call, leg: LegId, failed: &edge::Failed, scene: &mut Scene<'_>) {
    use edge::failed::Reason;
    let (branch, method) = (failed.branch.clone(), Method::read(&failed.method));
    let failure = match failed.reason() {
        Reason::AckMissing => Failure::AckMissing,
        Reason::PrackMissing => Failure::PrackMissing,
        Reason::TransportFailed => Failure::TransportFailed { branch, method },
        Reason::TimedOut | Reason::Unspecified => Failure::TimedOut { branch, method },
    };
    operate(call, leg, scene, |line, ctx| line.failed(failure, ctx));
}

/// The only way to the far end is gone: it rings no more. A dialog that stands waits for its far end to come back.
pub(crate) fn unreachable(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    operate(call, leg, scene, |line, ctx| line.unreachable(ctx));
}

/// The dialog's timers that are due.
pub(crate) fn timer(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    operate(call, leg, scene, |line, ctx| line.timer(ctx));
}

/// What the rules make of what a dialog says; none: nothing to decide.
pub(super) fn translate(fact: ua::Fact) -> Option<Fact> {
    use ua::Fact as Said;
    Some(match fact {
        Said::Ringing { audio, .. } => Fact::Ringing { early: audio.is_some() },
        Said::Answered { .. } => Fact::Answered,
        Said::OfferReceived { .. } => Fact::OfferReceived,
        Said::OfferAccepted { .. } => Fact::SessionChanged,
        Said::FaxOffered { .. } => Fact::FaxOffered,
        Said::FaxAccepted { .. } => Fact::FaxAccepted,
        Said::FaxRefused { status } => Fact::FaxRefused(status),
        Said::Confirmed | Said::OfferRefused { .. } => return None,
        Said::Cancelled { .. } => Fact::Left(Cause::Abandoned),
        Said::HungUp { .. } => Fact::Left(Cause::HungUp),
        Said::Failed { status, .. } => Fact::Left(Cause::of_status(status)),
        Said::Moved { .. } => Fact::Left(Cause::Unreachable),
        Said::AckMissing => Fact::Left(Cause::NotAcknowledged),
        Said::SessionExpired => Fact::Left(Cause::SessionExpired),
        Said::Vanished => Fact::Left(Cause::FarEndGone),
        Said::TransferAsked { target, replaces } => Fact::TransferAsked { target, replaces },
        Said::Digit { .. } => Fact::Digit,
    })
}
