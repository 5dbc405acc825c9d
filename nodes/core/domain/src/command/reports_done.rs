//! The tenant's home has heard the reports up to a number: they are kept here no longer.

use std::sync::Arc;

use mangrove_proto::id::TenantId;

use crate::{effect::Reply, moving::Standing, state::State};

pub(super) fn apply(state: &mut State, id: &TenantId, series: u64, up_to: u64) -> Reply {
    let Some(hold) = state.holds.get_mut(id).filter(|hold| hold.series == series) else {
        return Reply::Seen;
    };
    let (_, rest) = hold.reports.split(&up_to);
    Arc::make_mut(hold).reports = rest;
    free(state, id);
    Reply::Done
}

/// A tenant that stays here and has heard all is on hold no longer.
pub(super) fn free(state: &mut State, id: &TenantId) {
    let is_free = |hold: &crate::moving::Hold| hold.standing == Standing::Settling && hold.reports.is_empty();
    if state.hold(id).is_some_and(is_free) {
        state.holds.remove(id);
    }
}
