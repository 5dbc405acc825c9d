//! The copy of a tenant comes from its old home. Nothing happens to it until it is admitted, or thrown away.

use std::sync::Arc;

use crate::{effect::Reply, moving::Arrival, state::State};

pub(super) fn apply(state: &mut State, arrival: Arc<Arrival>) -> Reply {
    let (id, epoch) = (arrival.id().clone(), arrival.epoch);
    let here = state.tenant(&id).is_some_and(|tenant| tenant.epoch >= epoch);
    let left = state.hold(&id).is_some_and(|hold| hold.epoch > epoch);
    let known = state.arrivals.get(&id).is_some_and(|known| known.epoch >= epoch);
    if here || left || known {
        return Reply::Seen;
    }
    state.arrivals.insert(id, arrival);
    Reply::Done
}
