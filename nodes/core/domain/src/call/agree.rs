//! Which codecs a call's dialogs take and offer. Decided when a dialog begins, and kept by it for its whole life.

use mangrove_sip::sdp::{Codec, g711};

use super::Call;
use crate::scene::Scene;

/// What the rules in force take, from whoever calls and whoever is called. The one place where more is switched on:
/// replicas must do it at the same entry of the log, or the same INVITE would make different states of them.
pub(crate) fn taken(_scene: &Scene<'_>) -> Vec<Codec> {
    g711().to_vec()
}

/// What is offered to somebody who is called: first what the guest speaks, so that nothing need be transcoded.
pub(crate) fn offered(call: &Call, scene: &Scene<'_>) -> Vec<Codec> {
    let spoken =
        call.party(call.guest).and_then(|guest| guest.line.audio()).and_then(|audio| audio.codecs.first());
    let mut codecs = taken(scene);
    codecs.sort_by_key(|codec| spoken.is_some_and(|spoken| spoken.name != codec.name));
    codecs
}
