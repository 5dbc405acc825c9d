//! A tenant that was to come stays where it is: its copy is thrown away.

use mangrove_proto::id::TenantId;

use crate::{effect::Reply, state::State};

pub(super) fn apply(state: &mut State, id: &TenantId, epoch: u64) -> Reply {
    if state.arrivals.get(id).is_some_and(|arrival| arrival.epoch <= epoch) {
        state.arrivals.remove(id);
    }
    Reply::Done
}
