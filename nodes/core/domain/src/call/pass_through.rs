//! Faxes and modems that go on as sound: whoever offers nothing but G.711 in a talk may be about to send what is no speech,
//! and that survives no transcoder. So the other is asked for G.711, too; one who will not have it hears what is transcoded,
//! as before. What is said of it beside the codecs (RFC 3108 `silenceSupp`, V.152) is read over: nothing is suppressed here,
//! and comfort noise is agreed on with nobody ([`super::agree`]).

use mangrove_proto::id::LegId;

use super::{Call, agree, relay_offer};
use crate::{line, rules::speaks_beyond_g711, scene::Scene};

/// Whether nothing but G.711 is agreed on with a far end.
pub(super) fn is_plain(call: &Call, leg: LegId) -> bool {
    let audio = call.party(leg).and_then(|party| party.line.audio());
    audio.is_some_and(|audio| audio.codecs.iter().all(agree::is_law))
}

/// A far end's offer was taken: where it has come down to G.711 by it, the other is asked the same.
pub(super) fn follow(call: &mut Call, leg: LegId, was_plain: bool, scene: &mut Scene<'_>) {
    if was_plain || !is_plain(call, leg) || !speaks_beyond_g711(scene.state.rules()) {
        return;
    }
    let is_held = |leg| call.party(leg).is_none_or(|party| party.is_absent());
    let Some(other) = relay_offer::other(call, leg).filter(|other| !is_held(leg) && !is_held(*other)) else {
        return;
    };
    // Who faxes is asked back to sound anyway.
    let other_party = call.party(other).filter(|party| party.line.fax().is_none());
    let sent = other_party.and_then(|party| party.line.audio()?.codecs.first());
    if sent.is_some_and(|codec| !agree::is_law(codec)) {
        line::offer_g711(call, other, scene);
        scene.tell(call, "G.711 is asked for", "the other has nothing else any more");
    }
}
