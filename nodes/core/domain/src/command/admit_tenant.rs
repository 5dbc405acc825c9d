//! The directory says that a tenant lives here: its copy comes to life, with its own clock and all that it owes to the
//! outside, and under no older rules than it lived by. What is reported of it here waits until its old home has nothing that
//! came first.

use std::sync::Arc;

use mangrove_proto::id::TenantId;

use super::settle_tenant;
use crate::{
    effect::{Effects, ObjectRef, Reply},
    moving::{Arrival, Hold, Standing},
    ready,
    stamp::Stamp,
    state::State,
};

/// The longest that a tenant may have been frozen by the wall clock: one that jumped must not fire every timer.
const LONGEST_MS: u64 = 60_000;

pub(super) fn apply(
    state: &mut State,
    id: &TenantId,
    epoch: u64,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    if state.tenant(id).is_some_and(|tenant| tenant.epoch >= epoch) {
        return Reply::Seen;
    }
    let Some(arrival) = state.arrivals.remove(id).filter(|arrival| arrival.epoch == epoch) else {
        return Reply::NotFound { what: format!("tenant {id} under epoch {epoch}") };
    };
    bring_in(state, id, Arc::unwrap_or_clone(arrival), stamp, effects);
    settle_tenant::thaw(state, id, stamp, effects);
    let objects: Vec<ObjectRef> = state.objects().filter(|object| object.tenant() == id).collect();
    for object in objects {
        effects.actions.extend(state.owed(&object, stamp));
        effects.touch(object);
    }
    Reply::Done
}

fn bring_in(state: &mut State, id: &TenantId, arrival: Arrival, stamp: Stamp, effects: &mut Effects) {
    let Arrival { mut tenant, epoch, at, records, rules } = arrival;
    state.raise_rules(rules);
    let frozen_ms = stamp.wall.saturating_sub(at.wall).min(LONGEST_MS);
    tenant.set_clock(at.now + frozen_ms, stamp.now);
    tenant.epoch = epoch;
    ready::line_up(&mut tenant);
    for node in tenant.calls().flat_map(|call| call.media.open_at()) {
        state.count_session(node, true);
    }
    state.tenants.insert(id.clone(), Arc::new(tenant));
    effects.outbox |= !records.is_empty();
    state.outbox.bring_in(records);
    // What came here for it while it was away is still to be heard.
    let before = state.hold(id).cloned();
    let mut hold = before.unwrap_or_else(|| Hold::new(Standing::Arriving, epoch, stamp.moment()));
    (hold.standing, hold.epoch) = (Standing::Arriving, epoch);
    state.holds.insert(id.clone(), Arc::new(hold));
}
