//! A tenant that had gone from here is no more anywhere: nothing that comes for it concerns anybody.

use mangrove_proto::id::TenantId;

use crate::{effect::Reply, moving::Standing, state::State};

pub(super) fn apply(state: &mut State, id: &TenantId, epoch: u64) -> Reply {
    let is_meant = |hold: &crate::moving::Hold| hold.standing == Standing::Gone && hold.epoch == epoch;
    if state.hold(id).is_some_and(is_meant) {
        state.holds.remove(id);
    }
    Reply::Done
}
