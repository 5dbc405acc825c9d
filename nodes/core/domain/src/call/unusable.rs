//! An INVITE that can't be a call: no common codec, an extension we do not speak, broken in itself. It was an attempt all
//! the same, so it has a record, without legs. Nothing of it is kept; if it comes again, its record is the same one.

use mangrove_proto::{
    id::CallId,
    live::{Cdr, EndedBy},
};

use super::{arrive::Arrival, plan::Plan};
use crate::{cause::Cause, record::Record, scene::Scene, state::hash_of};

/// Notes an INVITE that was refused with `status`. `key` marks it.
pub(super) fn note(key: &str, arrival: &Arrival, status: u16, scene: &mut Scene<'_>) {
    let is_test = matches!(arrival.plan, Ok(Plan::Echo));
    let Some(cause) = cause(status).filter(|_| !is_test) else { return };
    let record = Record::Cdr(record(key, arrival, (cause, status), scene));
    scene.state.outbox.add(record);
    scene.effects.outbox = true;
}

/// None: it was no attempt of its own. After 422 the caller tries again with a longer session (RFC 4028 section 6), and
/// 481 is for a dialog that is gone.
fn cause(status: u16) -> Option<Cause> {
    match status {
        488 | 415 => Some(Cause::NotAcceptable),
        400 | 420 => Some(Cause::BadRequest),
        _ => None,
    }
}

fn record(key: &str, arrival: &Arrival, (cause, status): (Cause, u16), scene: &Scene<'_>) -> Cdr {
    let at = scene.stamp.wall;
    Cdr {
        call: id(scene.id().as_str(), key),
        tenant: scene.id().clone(),
        direction: arrival.direction,
        caller: arrival.caller.clone(),
        called: arrival.called.clone(),
        number: arrival.number.clone(),
        source: arrival.source.clone(),
        trunk: arrival.trunk.clone(),
        started: at,
        answered: None,
        ended: at,
        wait_ms: 0,
        talk_ms: 0,
        hold_ms: 0,
        group: None,
        employee: None,
        outcome: cause.outcome(false),
        ended_by: EndedBy::System,
        cause: cause.name().to_owned(),
        sip_status: status,
        q850: cause.q850(),
        legs: Vec::new(),
        recordings: Vec::new(),
    }
}

/// The same for the same INVITE, whenever it comes.
fn id(tenant: &str, key: &str) -> CallId {
    let half = |side: &str| u128::from(hash_of(&[side.as_bytes(), tenant.as_bytes(), b"|", key.as_bytes()]));
    CallId(half("high") << 64 | half("low"))
}
