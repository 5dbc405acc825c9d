//! The record of a finished call.

use mangrove_proto::live::{Cdr, CdrLeg, Outcome};

use super::{
    Call, Recording,
    party::{Counted, Party},
    plan::Plan,
    stage::{End, Stage},
};
use crate::{cause::Cause, record::Record, scene::Scene, stamp::Moment};

/// Whether the media node has told all that it will tell.
pub(crate) fn is_complete(call: &Call) -> bool {
    let counted = call.parties.values().all(|party| party.address.is_none() || party.counted.is_some());
    let moved = call.moved.iter().all(|moved| !moved.is_awaited);
    let recorded = call.recordings().all(|recording| recording.finished.is_some());
    call.media.version == 0 || (counted && moved && recorded)
}

/// Puts the record into the outbox, once it is complete or has waited long enough.
pub(crate) fn write_when_due(call: &mut Call, scene: &mut Scene<'_>) {
    let complete = is_complete(call);
    let now = scene.now();
    let Stage::Over(end) = &mut call.stage else { return };
    if end.record_due.is_some_and(|due| complete || due <= now) {
        end.record_due = None;
        write(call, scene);
    }
}

/// Puts the record into the outbox. A second one of the same call takes the first one's place in SQL. Who only heard
/// themselves has none.
pub(crate) fn write(call: &Call, scene: &mut Scene<'_>) {
    let Stage::Over(end) = &call.stage else { return };
    if call.plan == Plan::Echo {
        return;
    }
    scene.state.outbox.add(Record::Cdr(cdr(call, end)));
    scene.effects.outbox = true;
}

fn cdr(call: &Call, end: &End) -> Cdr {
    Cdr {
        call: call.id,
        tenant: call.tenant.clone(),
        direction: call.direction,
        caller: call.caller.clone(),
        called: call.called.clone(),
        number: call.number.clone(),
        source: call.source.clone(),
        trunk: call.trunk.clone(),
        started: call.started.wall,
        answered: call.answered.map(|at| label(call, at)),
        ended: label(call, end.at),
        wait_ms: call.wait_ms,
        talk_ms: call.talk_ms,
        hold_ms: call.hold_ms,
        group: call.group.clone(),
        employee: call.employee.clone(),
        outcome: outcome(call, end),
        ended_by: end.by,
        cause: end.cause.name().to_owned(),
        sip_status: end.status,
        q850: end.cause.q850(),
        legs: legs(call, end),
        recordings: call.recordings().filter_map(Recording::record).collect(),
    }
}

/// Who was not answered by a person and has left a message counts as that, however it ended.
fn outcome(call: &Call, end: &End) -> Outcome {
    match end.cause.outcome(call.answered.is_some()) {
        Outcome::Answered => Outcome::Answered,
        _ if call.answered.is_none() && call.has_left_message() => Outcome::Voicemail,
        outcome => outcome,
    }
}

/// The start's label plus measured time: a clock that was set meanwhile does not show.
fn label(call: &Call, at: Moment) -> u64 {
    call.started.wall + call.started.until(at)
}

fn legs(call: &Call, end: &End) -> Vec<CdrLeg> {
    let stayed = call.parties.values().map(|party| {
        let ended = party.ended.unwrap_or((end.at, end.cause));
        leg(call, party, ended)
    });
    stayed.chain(call.moved.iter().map(|moved| moved.leg.clone())).collect()
}

/// A party's part, which ended then and so.
pub(super) fn leg(call: &Call, party: &Party, (ended, cause): (Moment, Cause)) -> CdrLeg {
    let mut leg = CdrLeg {
        leg: party.id,
        role: party.role.name().to_owned(),
        party: party.name.clone(),
        employee: party.employee.clone(),
        started: label(call, party.started),
        answered: party.answered.map(|at| label(call, at)),
        ended: label(call, ended),
        cause: cause.name().to_owned(),
        packets_received: 0,
        packets_sent: 0,
        packets_lost: 0,
        jitter_us: 0,
    };
    count(&mut leg, party.counted.unwrap_or_default());
    leg
}

/// Its media in numbers.
pub(super) fn count(leg: &mut CdrLeg, counted: Counted) {
    let Counted { received, sent, lost, jitter_us } = counted;
    (leg.packets_received, leg.packets_sent) = (received, sent);
    (leg.packets_lost, leg.jitter_us) = (lost, jitter_us);
}
