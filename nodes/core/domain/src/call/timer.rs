//! A call's timers: what it waits for, read from where it stands; and when it is done with.

use mangrove_proto::{id::LegId, live::EndedBy};

use super::{
    Call, Offer, announce,
    announce::Announcement,
    away, confer, end, enqueue, monitor, offer, plan, recording, relay_offer, replace, retell,
    stage::{End, Stage},
    voicemail,
};
use crate::{cause::Cause, line, scene::Scene};

/// No call is longer: a forgotten phone, or fraud.
const LONGEST_MS: u64 = 4 * 3_600_000;
/// How long an ended call waits for its recording, should the object store be down.
const RECORDING_MS: u64 = 24 * 3_600_000;

/// The next instant at which something is due.
pub(crate) fn due(call: &Call) -> Option<u64> {
    let stage = match &call.stage {
        Stage::Arriving { until } => Some(*until),
        Stage::Playing { until, .. } => *until,
        Stage::Echo { until } => Some(*until),
        Stage::Leaving(leaving) => Some(leaving.until),
        // An offer that may outlast the deadline looks at it again when it ends.
        Stage::Waiting(waiting) => {
            let deadline = waiting.deadline.filter(|_| !waiting.finish || call.offers.is_empty());
            deadline.into_iter().chain(waiting.announcement.as_ref().map(Announcement::due)).min()
        }
        Stage::Conferring(_) => confer::due(call),
        Stage::Over(end) => Some(end.record_due.unwrap_or_else(|| forget_at(call, end))),
        _ => None,
    };
    let longest = (!call.is_over()).then_some(call.started.now + LONGEST_MS);
    let offers = call.offers.iter().map(Offer::due);
    let lines = call.parties.values().filter_map(|party| party.line.due());
    let alive = || call.parties.values().filter(|party| party.is_alive());
    let told = alive().filter_map(|party| party.told_at);
    let away = alive().filter_map(|party| party.away.as_ref()).map(|away| away.until);
    let places = call.parties.values().filter_map(|party| replace::due(party));
    let monitors = call.parties.values().filter_map(|party| monitor::due(party));
    let parties = told.chain(away).chain(places).chain(monitors);
    // What is due of the session is done when the command is through.
    let relayed = call.relayed.as_ref().map(|relayed| relayed.until);
    let session = call.media.due().into_iter().chain(relayed).chain(recording::due(call));
    stage.into_iter().chain(longest).chain(session).chain(offers).chain(lines).chain(parties).min()
}

/// Fires what is due.
pub(crate) fn fire(call: &mut Call, scene: &mut Scene<'_>) {
    let now = scene.now();
    let lines = call.parties.values().filter(|party| party.line.due().is_some_and(|due| due <= now));
    for leg in lines.map(|party| party.id).collect::<Vec<LegId>>() {
        line::timer(call, leg, scene);
    }
    retell::fire(call, scene);
    offer::expire(call, scene);
    away::expire(call, scene);
    replace::expire(call, scene);
    relay_offer::expire(call, scene);
    recording::expire(call, scene);
    monitor::expire(call, scene);
    match &call.stage {
        Stage::Arriving { until } if *until <= now => end::end(call, Cause::NoMedia, EndedBy::System, scene),
        Stage::Playing { until: Some(until), .. } if *until <= now => plan::proceed(call, scene),
        Stage::Echo { until } if *until <= now => {
            end::end(call, Cause::SchemeEnded, EndedBy::System, scene);
        }
        Stage::Leaving(_) => voicemail::expire(call, scene),
        Stage::Waiting(_) => {
            enqueue::expire(call, scene);
            announce::fire(call, scene);
        }
        Stage::Conferring(_) => confer::expire(call, scene),
        _ => {}
    }
    if !call.is_over() && call.started.now + LONGEST_MS <= now {
        end::end(call, Cause::TooLong, EndedBy::System, scene);
    }
}

/// Whether nobody will ask about the call any more.
pub(crate) fn is_forgotten(call: &Call, now: u64) -> bool {
    matches!(&call.stage, Stage::Over(end) if end.record_due.is_none() && forget_at(call, end) <= now)
}

/// A recording that is still on its way keeps the call: its record is to name it.
fn forget_at(call: &Call, end: &End) -> u64 {
    let awaited = call.recordings().any(|recording| recording.finished.is_none());
    if awaited { end.at.now + RECORDING_MS } else { end.forget }
}
