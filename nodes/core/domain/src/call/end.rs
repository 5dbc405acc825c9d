//! The end of a call: one cause, everybody let go, the record on its way. Ends once; what comes later changes nothing.

use mangrove_proto::{id::LegId, live::EndedBy};

use super::{
    Call, answer, enqueue, fact, offer,
    party::Role,
    recording, replace,
    stage::{End, Stage, Talk},
    voicemail,
};
use crate::{cause::Cause, line, scene::Scene};

/// How long a call is kept after its end, so that retransmissions are answered: 64*T1 (RFC 3261 17).
pub(crate) const LINGER_MS: u64 = 32_000;
/// How long the record waits for the media node's counters.
const COUNTERS_MS: u64 = 2_000;
/// How long it waits for a recording to be in the object store.
const RECORDING_MS: u64 = 10_000;

/// Ends a call.
pub(crate) fn end(call: &mut Call, cause: Cause, by: EndedBy, scene: &mut Scene<'_>) {
    end_with(call, cause, None, by, scene);
}

/// Ends a call; an unanswered caller gets `status` in place of the cause's own.
pub(crate) fn end_with(
    call: &mut Call,
    cause: Cause,
    status: Option<u16>,
    by: EndedBy,
    scene: &mut Scene<'_>,
) {
    if call.is_over() {
        return;
    }
    scene.tell(call, format!("ends: {}", cause.name()), format!("while {}", call.stage.name()));
    let talk = leave_stage(call, scene);
    offer::withdraw_all(call, Cause::Withdrawn, scene);
    let legs: Vec<LegId> = call.parties.keys().copied().collect();
    for leg in &legs {
        let_go(call, *leg, cause, status, scene);
    }
    release_people(call, talk.as_ref(), scene);
    scene.give_channels_back(call);
    recording::end(call, scene.now());
    let at = scene.moment();
    let patience = match (&call.recording, call.media.version) {
        (_, 0) => 0,
        (None, _) => COUNTERS_MS,
        (Some(_), _) => RECORDING_MS,
    };
    let end = End {
        cause,
        status: status.unwrap_or(cause.status()),
        by,
        at,
        record_due: Some(at.now + patience),
        forget: at.now + LINGER_MS,
    };
    call.move_to(Stage::Over(end), at);
}

/// Settles what the present stage has begun.
fn leave_stage(call: &mut Call, scene: &mut Scene<'_>) -> Option<Talk> {
    match call.stage.clone() {
        Stage::Waiting(waiting) => {
            enqueue::abandoned(call, &waiting, scene);
            None
        }
        Stage::Talking(talk) => {
            count_talk(call, scene);
            Some(talk)
        }
        Stage::Conferring(conferring) => {
            if conferring.is_there() {
                call.talk_ms += conferring.since.until(scene.moment());
            }
            None
        }
        Stage::Transferring(transfer) => Some(transfer.talk),
        Stage::Leaving(_) => {
            voicemail::close(call, scene);
            None
        }
        _ => None,
    }
}

/// Adds the present talk and hold to the call's sums.
pub(crate) fn count_talk(call: &mut Call, scene: &mut Scene<'_>) {
    let Stage::Talking(talk) = call.stage.clone() else { return };
    let spoke = talk.since.until(scene.moment());
    call.talk_ms += spoke;
    if let Some(since) = call.held_since.take() {
        call.hold_ms += scene.now().saturating_sub(since);
        recording::held(call, false, scene);
    }
    if let Some(group) = &talk.group {
        scene.count(group, |today| today.talk_ms += spoke);
    }
}

fn let_go(call: &mut Call, leg: LegId, cause: Cause, status: Option<u16>, scene: &mut Scene<'_>) {
    let Some(party) = call.party(leg) else { return };
    let unanswered = party.role == Role::Caller && party.answered.is_none();
    if !party.is_alive() {
        return;
    }
    if party.replaces.is_some() {
        return replace::give_up(call, leg, cause, scene);
    }
    if unanswered {
        let moment = scene.moment();
        if let Some(party) = call.party_mut(leg) {
            party.end(moment, cause);
        }
        line::reject(call, leg, cause, status, scene);
    } else {
        fact::dismiss(call, leg, cause, scene);
    }
}

/// Frees everybody. Who has earned after-call work comes first: another leg of theirs, a phone that lost or an offer
/// that they missed, would free them without it.
fn release_people(call: &Call, talk: Option<&Talk>, scene: &mut Scene<'_>) {
    if let Some(talk) = talk {
        release_talker(call, talk.peer, talk, scene);
    }
    for party in call.parties.values() {
        answer::release(call, party.employee.as_ref(), None, scene);
    }
}

/// Frees one of two who talked. After-call work is due to whom the queue gave the call, not to who called.
pub(crate) fn release_talker(call: &Call, leg: LegId, talk: &Talk, scene: &mut Scene<'_>) {
    let Some(party) = call.party(leg) else { return };
    let served = leg == talk.peer && party.role != Role::Caller;
    let work = if served { wrap_up_ms(talk, scene) } else { None };
    answer::release(call, party.employee.as_ref(), work, scene);
}

/// After-call work that a talk earns: that of the group it came through.
fn wrap_up_ms(talk: &Talk, scene: &Scene<'_>) -> Option<u64> {
    let group = talk.group.as_ref()?;
    scene.tenant.config.groups.get(group).map(|group| group.wrap_up_ms)
}
