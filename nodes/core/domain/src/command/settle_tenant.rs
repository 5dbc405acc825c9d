//! A tenant stays here: it has come and its old home has handed everything on, or its move was given up. First it hears
//! what was reported here meanwhile; with the last of that it is free.

use std::sync::Arc;

use mangrove_proto::id::TenantId;

use super::{leader_started, node_draining, node_lost, reports_done};
use crate::{
    effect::{Effects, Reply},
    moving::Standing,
    scene,
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(
    state: &mut State,
    id: &TenantId,
    epoch: u64,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let Some(hold) = state.holds.get_mut(id).filter(|hold| hold.epoch == epoch) else {
        return Reply::Seen;
    };
    if hold.standing == Standing::Gone {
        return Reply::Moving { tenant: id.to_string() };
    }
    let hold = Arc::make_mut(hold);
    let records = std::mem::take(&mut hold.records);
    let was = std::mem::replace(&mut hold.standing, Standing::Settling);
    effects.outbox |= !records.is_empty();
    state.outbox.bring_in(records);
    if was == Standing::Leaving {
        thaw(state, id, stamp, effects);
    }
    effects.kept = true;
    reports_done::free(state, id);
    Reply::Done
}

/// Nodes may have been lost, or begun to go, while nothing could happen to it.
pub(super) fn thaw(state: &mut State, id: &TenantId, stamp: Stamp, effects: &mut Effects) {
    scene::play(state, id, stamp, effects, |scene| {
        node_lost::leave_strangers(scene);
        node_draining::leave(scene);
        let now = scene.now();
        leader_started::ring_on(&mut scene.tenant, now + leader_started::ANSWER_AGAIN_MS);
    });
}
