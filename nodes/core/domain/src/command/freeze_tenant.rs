//! A tenant is about to move: nothing happens to it any more, so that the copy that goes to its new home stays true.
//! Its records stop on their way to SQL here: they go on from there.

use std::sync::Arc;

use mangrove_proto::id::TenantId;

use crate::{
    effect::Reply,
    moving::{Hold, Standing},
    stamp::{Moment, Stamp},
    state::State,
};

pub(super) fn apply(state: &mut State, id: &TenantId, epoch: u64, group: u32, stamp: Stamp) -> Reply {
    if state.hold(id).is_some_and(|hold| hold.epoch >= epoch) {
        return Reply::Seen;
    }
    let Some(tenant) = state.tenant(id) else { return Reply::NotFound { what: format!("tenant {id}") } };
    let at = Moment { now: tenant.now(stamp.now), wall: stamp.wall };
    let mut hold = state.hold(id).cloned().unwrap_or_else(|| Hold::new(Standing::Leaving, epoch, at));
    (hold.standing, hold.epoch, hold.at) = (Standing::Leaving, epoch, at);
    hold.records = state.outbox.take_of(id, (stamp.fence.incarnation, group));
    state.holds.insert(id.clone(), Arc::new(hold));
    Reply::Done
}
