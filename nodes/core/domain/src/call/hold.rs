//! Holding and resuming, which is the far end's re-INVITE (RFC 3264 section 8.4): the other party hears music.

use mangrove_proto::id::LegId;

use super::{Call, party::Party, pass_through, recording, stage::Stage};
use crate::{line, scene::Scene};

/// The far end offers to change the session. We take it as it is.
pub(crate) fn offered(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    if call.is_over() {
        return line::refuse_offer(call, leg, scene);
    }
    let was_plain = pass_through::is_plain(call, leg);
    line::accept_offer(call, leg, scene);
    pass_through::follow(call, leg, was_plain, scene);
    note(call, scene);
}

/// Notes whether somebody holds or is away, and for how long it was.
pub(crate) fn note(call: &mut Call, scene: &mut Scene<'_>) {
    let holds = match &call.stage {
        Stage::Talking(talk) => {
            [call.guest, talk.peer].iter().any(|leg| call.party(*leg).is_some_and(Party::is_absent))
        }
        _ => false,
    };
    if call.is_in_conference() {
        // Who has held, or was away, was silent with reason.
        call.expects_sound_since = scene.now();
    }
    match (holds, call.held_since) {
        (true, None) => {
            call.held_since = Some(scene.now());
            recording::held(call, true, scene);
            scene.tell(call, "held", "");
        }
        (false, Some(since)) => {
            call.held_since = None;
            recording::held(call, false, scene);
            call.expects_sound_since = scene.now();
            call.hold_ms += scene.now().saturating_sub(since);
            scene.tell(call, "hold is over", "");
        }
        _ => {}
    }
}
