//! What a media node reports about a call's session.

use std::sync::Arc;

use mangrove_proto::{
    id::LegId,
    live::{CdrRecording, EndedBy, RecordingChannels, RecordingFormat},
    media::{self, media_event::Fact},
};

use super::{
    Call, announce, confer, dial_out, end, keyed, party::Party, plan, record, recording, refusal, replace,
    retell, stage::Stage, voicemail,
};
use crate::{cause::Cause, line, media as session, scene::Scene, story};

/// Longer than this without a sound, a phone is dead.
const SILENCE_MS: u64 = 30_000;

/// One event. What no longer fits the call changes nothing.
pub(crate) fn hear(call: &mut Call, fact: &Fact, scene: &mut Scene<'_>) {
    match fact {
        Fact::Ready(ready) => self::ready(call, ready, scene),
        Fact::Refused(refused) => self::refused(call, refused, scene),
        Fact::PlayFinished(finished) => play_finished(call, finished, scene),
        Fact::Digit(digit) => pressed(call, digit, scene),
        Fact::Latched(latched) => self::latched(call, latched, scene),
        Fact::Silent(silent) => self::silent(call, silent, scene),
        Fact::KeyCode(code) => keyed::pressed(call, code, scene),
        Fact::RecordingPaused(paused) => recording_paused(call, paused, scene),
        Fact::RecordingFinished(finished) => recording_finished(call, finished, scene),
        Fact::Counters(counters) => count(call, counters),
        Fact::Secured(secured) => session::secure(call, secured),
    }
}

/// One event of the node that the session leaves, or left last: what it opened and played counts, and what it recorded.
pub(crate) fn hear_former(call: &mut Call, fact: &Fact, scene: &mut Scene<'_>) {
    match fact {
        Fact::Ready(ready) => session::note_addresses(call, ready),
        Fact::PlayFinished(finished) => play_finished(call, finished, scene),
        Fact::Digit(digit) => pressed(call, digit, scene),
        Fact::KeyCode(code) => keyed::pressed(call, code, scene),
        Fact::RecordingPaused(paused) => recording_paused(call, paused, scene),
        Fact::RecordingFinished(finished) => recording_finished(call, finished, scene),
        Fact::Counters(counters) => count_former(call, counters),
        Fact::Refused(_) | Fact::Latched(_) | Fact::Silent(_) | Fact::Secured(_) => {}
    }
}

fn pressed(call: &mut Call, digit: &media::Digit, scene: &mut Scene<'_>) {
    note(call, &digit.endpoint, story::DIGIT.into(), scene);
    // What one of them does with a key may lead to the other.
    match call.stage {
        Stage::Leaving(_) => voicemail::pressed(call, &digit.endpoint, &digit.digit, scene),
        Stage::Conferring(_) => confer::pressed(call, digit, scene),
        _ => {}
    }
}

fn note(call: &Call, endpoint: &str, title: String, scene: &mut Scene<'_>) {
    let party = endpoint.parse().ok().and_then(|leg| call.party(leg)).map(|party| party.role.name());
    let line = story::heard(call, scene.moment(), party.unwrap_or_default(), title);
    scene.effects.story.push(line);
}

/// The session stands: its addresses are what far ends are told.
fn ready(call: &mut Call, ready: &media::Ready, scene: &mut Scene<'_>) {
    if call.is_over() || ready.version > call.media.version || call.media.is_stale(ready.version) {
        return;
    }
    call.media.moved &= ready.version != call.media.version;
    session::take_keys(call, ready);
    let mut moved = Vec::new();
    for address in &ready.addresses {
        let (Ok(leg), Ok(told)) = (address.endpoint.parse::<LegId>(), address.address.parse()) else {
            continue;
        };
        let lacks = |party: &Party| {
            let is_known = party.address.is_some() && !call.media.is_untold(leg);
            !is_known || session::is_another(party, address)
        };
        // Nothing can be said of an address whose key is missing, or what a browser must be told with it.
        let has_all = |party: &Party| party.line.key_due().is_none() && session::is_complete(party, address);
        let waits = call.party(leg).is_some_and(|party| party.is_alive() && lacks(party) && has_all(party));
        if waits && let Some(party) = call.party_mut(leg) {
            party.forget_address();
            party.address = Some(told);
            party.association = session::Association::of(address).map(Arc::new);
            let has_a_turn = party.told_at.is_some();
            call.media.told(leg);
            // A phone that rings was told another one: it learns this one once it has answered.
            moved.extend((call.knows_address(leg) && !has_a_turn).then_some(leg));
        }
    }
    session::ready(call, scene.now());
    for leg in moved {
        line::reoffer(call, leg, scene);
    }
    retell::fire(call, scene);
    go_on(call, scene);
}

/// Does what waited for addresses that are known now.
pub(crate) fn go_on(call: &mut Call, scene: &mut Scene<'_>) {
    let is_up = matches!(
        call.stage,
        Stage::Playing { .. }
            | Stage::Leaving(_)
            | Stage::Waiting(_)
            | Stage::Talking(_)
            | Stage::Conferring(_)
            | Stage::Echo { .. }
    );
    if is_up {
        // Nothing to do, unless the ports were just given up when it was time to answer.
        line::answer(call, call.guest, scene);
    }
    dial_out::start_planned(call, scene);
    replace::complete(call, scene);
    let guest_has_address = call.party(call.guest).is_some_and(|guest| guest.address.is_some());
    if matches!(call.stage, Stage::Arriving { .. }) && guest_has_address {
        plan::begin(call, scene);
    }
}

/// The node can't do what was asked: something is given up, and the rest asked for again.
fn refused(call: &mut Call, refused: &media::Refused, scene: &mut Scene<'_>) {
    if call.is_over() || refused.version != call.media.version {
        return;
    }
    note(call, "", format!("media refused: {}", refused.why), scene);
    if call.media.is_tried() {
        session::turn_back(call, scene);
        return confer::stayed_apart(call, scene);
    }
    refusal::give_way(call, scene);
}

fn play_finished(call: &mut Call, finished: &media::PlayFinished, scene: &mut Scene<'_>) {
    let awaited = matches!(&call.stage, Stage::Playing { play, .. } if *play == finished.play);
    if awaited {
        plan::proceed(call, scene);
    } else {
        announce::finished(call, finished, scene);
        voicemail::finished(call, finished, scene);
    }
}

fn latched(call: &mut Call, latched: &media::Latched, scene: &mut Scene<'_>) {
    let party = latched.endpoint.parse().ok().and_then(|leg: LegId| call.party_mut(leg));
    if let (Some(party), Ok(from)) = (party, latched.address.parse()) {
        let described = party.line.stream().map(|(remote, _)| remote).filter(|at| !at.ip().is_unspecified());
        (party.latched, party.latched_for) = (Some(from), described.or(party.latched_for));
        note(call, &latched.endpoint, format!("sound comes from {}", latched.address), scene);
    }
}

/// Somebody who talks went silent: the phone is dead. Who is held, or holds, may be silent, and so may who waits; the
/// media node counts that time too.
fn silent(call: &mut Call, silent: &media::Silent, scene: &mut Scene<'_>) {
    let expected_ms = scene.now().saturating_sub(call.expects_sound_since);
    let is_dead = silent.since_ms.min(expected_ms) >= SILENCE_MS;
    if is_dead && voicemail::is_heard_at(call, &silent.endpoint) {
        return voicemail::go_on(call, scene);
    }
    let Some([guest, peer]) = watched(call) else { return };
    // Who is to be told of another address of ours sends to the one it knows.
    let waits = |leg: LegId| call.party(leg).is_some_and(|party| party.told_at.is_some());
    let leg = silent.endpoint.parse::<LegId>().ok().filter(|leg| [guest, peer].contains(leg) && !waits(*leg));
    if leg.is_some() && is_dead && call.held_since.is_none() {
        end::end(call, Cause::MediaLost, EndedBy::System, scene);
    }
}

/// Those who should be heard.
fn watched(call: &Call) -> Option<[LegId; 2]> {
    let is_heard = call.is_in_conference() && !call.party(call.guest).is_some_and(Party::is_absent);
    let talkers = call.talkers().map(|(guest, peer)| [guest, peer]);
    talkers.or_else(|| is_heard.then_some([call.guest; 2]))
}

fn recording_paused(call: &mut Call, paused: &media::RecordingPaused, scene: &mut Scene<'_>) {
    if recording::confirmed(call, paused) {
        note(call, "", "recording is paused".into(), scene);
    }
}

fn recording_finished(call: &mut Call, finished: &media::RecordingFinished, scene: &mut Scene<'_>) {
    let mut all = call.earlier.iter_mut().chain(&mut call.recording);
    let Some(recording) = all.find(|recording| recording.id == finished.recording) else { return };
    if recording.finished.is_some() {
        return;
    }
    recording.finished = Some(stored(finished));
    let is_talk = recording.message.is_none();
    note(call, "", "recording finished".into(), scene);
    voicemail::stored(call, &finished.recording, scene);
    // A message's sound is no part of the record.
    if is_talk && matches!(&call.stage, Stage::Over(end) if end.record_due.is_none()) {
        record::write(call, scene);
    }
}

/// As records have it.
pub(crate) fn stored(finished: &media::RecordingFinished) -> CdrRecording {
    CdrRecording {
        id: finished.recording.clone(),
        object: finished.object.clone(),
        duration_ms: finished.duration_ms,
        bytes: finished.bytes,
        missing_ms: finished.missing_ms,
        sha256: finished.sha256.clone(),
        marks: Vec::new(),
        format: if finished.opus { RecordingFormat::Opus } else { RecordingFormat::Wav },
        channels: if finished.mixed { RecordingChannels::Mixed } else { RecordingChannels::Dual },
    }
}

/// Of a party that has gone, unless it was heard more elsewhere: of the others the new node will tell.
fn count_former(call: &mut Call, counters: &media::Counters) {
    let party = counters.endpoint.parse().ok().and_then(|leg: LegId| call.party_mut(leg));
    let is_most = |party: &Party| {
        !party.is_alive() && party.counted.is_none_or(|counted| counted.received <= counters.packets_received)
    };
    if let Some(party) = party.filter(|party| is_most(party)) {
        party.counted = Some(counters.into());
    }
}

fn count(call: &mut Call, counters: &media::Counters) {
    let Ok(leg) = counters.endpoint.parse::<LegId>() else { return };
    match call.party_mut(leg) {
        Some(party) => party.counted = Some(counters.into()),
        None => call.count_moved(leg, counters.into()),
    }
}
