//! What the rules tell a dialog to do about T.38, and about G.711 in its place. Nothing where our address is not known.

use mangrove_proto::id::LegId;
use mangrove_sip::sdp::Direction;

use super::act::{operate, tell_address};
use crate::{call::Call, scene::Scene};

/// Offers T.38 with these attributes in audio's place.
pub(crate) fn offer_fax(call: &mut Call, leg: LegId, terms: Vec<String>, scene: &mut Scene<'_>) {
    let Some(address) = tell_address(call, leg) else { return };
    operate(call, leg, scene, |line, ctx| line.offer_fax(address, terms, ctx));
}

/// Offers audio in T.38's place.
pub(crate) fn offer_audio(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let Some(address) = tell_address(call, leg) else { return };
    operate(call, leg, scene, |line, ctx| line.offer_audio(address, ctx));
}

/// Offers audio in nothing but G.711.
pub(crate) fn offer_g711(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let Some(address) = tell_address(call, leg) else { return };
    operate(call, leg, scene, |line, ctx| line.offer_g711(address, ctx));
}

/// Answers the far end's offer of T.38 with these attributes, if it still waits.
pub(crate) fn accept_fax(call: &mut Call, leg: LegId, terms: &[String], scene: &mut Scene<'_>) {
    match tell_address(call, leg) {
        Some(address) => {
            operate(call, leg, scene, |line, ctx| line.accept_fax(address, terms, Direction::SendRecv, ctx))
        }
        None => super::refuse_offer(call, leg, scene),
    }
}

/// What was to be offered of T.38 and has not gone out stays here.
pub(crate) fn withhold_fax(call: &mut Call, leg: LegId) {
    if let Some(line) = call.party_mut(leg).and_then(|party| party.line.leg_mut()) {
        line.withhold_fax();
    }
}
