//! A media node reported something about a call's session.

use mangrove_proto::{
    id::{CallId, TenantId},
    live::LateRecording,
    media,
};

use super::Sender;
use crate::{
    call::media_event,
    effect::{Effects, Reply},
    record::Record,
    rules,
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(
    state: &mut State,
    sender: &Sender,
    event: &media::MediaEvent,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    if let Err(reply) = state.take_event("media", sender, event.sequence) {
        return reply;
    }
    hear(state, sender, event, stamp, effects)
}

/// What an event that was taken does.
pub(super) fn hear(
    state: &mut State,
    sender: &Sender,
    event: &media::MediaEvent,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let tenant = TenantId::from(event.tenant.as_str());
    let (Some(fact), Ok(call)) = (&event.fact, event.session.parse::<CallId>()) else {
        return Reply::Refused { why: "the event names no session or no fact".into() };
    };
    let done = scene::play(state, &tenant, stamp, effects, |scene| {
        let heard = scene.with_call(call, |call, scene| {
            // A node that is lost to the session knows nothing of it that still holds, but what it recorded.
            let stale = call.media.node != sender.node && !is_final(fact);
            if call.media.node != sender.node && call.media.was_at(&sender.node) {
                media_event::hear_former(call, fact, scene);
            } else if !stale {
                media_event::hear(call, fact, scene);
            }
        });
        heard.or_else(|| keep_late(&tenant, call, fact, scene))
    });
    match done {
        Some(Some(())) => Reply::Done,
        _ => Reply::NotFound { what: format!("call {call}") },
    }
}

/// A recording of a call that is forgotten: its record is in the history, and takes it in there; a message is in its box. None
/// of anything else.
fn keep_late(
    tenant: &TenantId,
    call: CallId,
    fact: &media::media_event::Fact,
    scene: &mut Scene<'_>,
) -> Option<()> {
    let media::media_event::Fact::RecordingFinished(finished) = fact else { return None };
    if !rules::keeps_late_recordings(scene.state.rules()) {
        return None;
    }
    let (tenant, recording) = (tenant.clone(), media_event::stored(finished));
    if scene.tenant.store_late(call, &recording) {
        return Some(());
    }
    scene.state.outbox.add(Record::LateRecording(LateRecording { tenant, call, recording }));
    scene.effects.outbox = true;
    Some(())
}

fn is_final(fact: &media::media_event::Fact) -> bool {
    use media::media_event::Fact;
    matches!(fact, Fact::RecordingFinished(_) | Fact::Counters(_))
}
