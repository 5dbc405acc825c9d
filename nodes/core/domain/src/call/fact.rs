//! Hears what a dialog says and passes it to the rule for it.

use mangrove_proto::{id::LegId, live::EndedBy};

use super::{
    Call, answer, end, hold, monitor, offer,
    party::Role,
    relay_offer, replace,
    stage::{Stage, Transfer},
    transfer, voicemail,
};
use crate::{cause::Cause, line, line::Fact, scene::Scene, story};

/// One fact of one party.
pub(crate) fn hear(call: &mut Call, leg: LegId, fact: Fact, scene: &mut Scene<'_>) {
    match fact {
        Fact::Ringing { early } => offer::rings(call, leg, early, scene),
        Fact::Answered => answer::answered(call, leg, scene),
        Fact::OfferReceived => hold::offered(call, leg, scene),
        Fact::SessionChanged => hold::note(call, scene),
        Fact::FaxOffered => relay_offer::offered(call, leg, scene),
        Fact::FaxAccepted => relay_offer::accepted(call, leg, scene),
        Fact::FaxRefused(status) => relay_offer::refused(call, leg, status, scene),
        Fact::TransferAsked { target, replaces } => {
            transfer::asked(call, leg, &target, replaces.as_deref(), scene)
        }
        Fact::Left(cause) => left(call, leg, cause, scene),
        Fact::Digit => {
            let party = leg_name(call, leg);
            scene.effects.story.push(story::heard(call, scene.moment(), &party, story::DIGIT.into()));
        }
    }
}

fn leg_name(call: &Call, leg: LegId) -> String {
    call.party(leg).map(|party| party.role.name().to_owned()).unwrap_or_default()
}

/// A party is gone. What that means depends on who it was and where the call stands.
pub(crate) fn left(call: &mut Call, leg: LegId, cause: Cause, scene: &mut Scene<'_>) {
    let moment = scene.moment();
    let Some(party) = call.party_mut(leg) else { return };
    if !party.is_alive() {
        return;
    }
    party.end(moment, cause);
    let by = by(party.role, cause);
    replace::orphan(call, leg, scene);
    if call.is_over() {
        return;
    }
    if call.party(leg).is_some_and(|party| party.monitor.is_some()) {
        return monitor::left(call, leg, scene);
    }
    if call.offer_of(leg).is_some() {
        return offer::leg_failed(call, leg, cause, scene);
    }
    match &call.stage {
        _ if leg == call.guest => guest_left(call, cause, by, scene),
        Stage::Talking(talk) if talk.peer == leg => end::end(call, cause, by, scene),
        Stage::Transferring(Transfer { referrer, .. }) if *referrer == leg => {
            transfer::referrer_left(call, scene)
        }
        _ => {}
    }
}

fn guest_left(call: &mut Call, cause: Cause, by: EndedBy, scene: &mut Scene<'_>) {
    let hung_up = matches!(cause, Cause::HungUp | Cause::Abandoned);
    let gave_up = hung_up && call.answered.is_none() && !voicemail::has_spoken(call, scene.now());
    end::end(call, if gave_up { Cause::Abandoned } else { cause }, by, scene);
}

/// A person's doing is theirs; what merely stopped working is nobody's.
fn by(role: Role, cause: Cause) -> EndedBy {
    match (cause, role) {
        (Cause::HungUp | Cause::Abandoned, Role::Caller) => EndedBy::Caller,
        (Cause::HungUp | Cause::Abandoned, _) => EndedBy::Callee,
        _ => EndedBy::System,
    }
}

/// Takes a party out who has no more part in the call, and frees their person.
pub(crate) fn dismiss(call: &mut Call, leg: LegId, cause: Cause, scene: &mut Scene<'_>) {
    let moment = scene.moment();
    let Some(party) = call.party_mut(leg) else { return };
    if !party.is_alive() {
        return;
    }
    party.end(moment, cause);
    line::hang_up(call, leg, cause, scene);
    replace::orphan(call, leg, scene);
}
