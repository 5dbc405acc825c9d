//! A tenant lives elsewhere now: what is left of it here goes. What is still reported of it here is kept and handed on.

use std::sync::Arc;

use mangrove_proto::id::TenantId;

use crate::{
    effect::{Effects, ObjectRef, Reply},
    moving::Standing,
    state::State,
};

pub(super) fn apply(state: &mut State, id: &TenantId, epoch: u64, effects: &mut Effects) -> Reply {
    let Some(hold) = state.holds.get_mut(id).filter(|hold| hold.epoch == epoch) else {
        return Reply::NotFound { what: format!("tenant {id}'s departure under epoch {epoch}") };
    };
    if hold.standing != Standing::Leaving {
        return Reply::Seen;
    }
    let hold = Arc::make_mut(hold);
    (hold.standing, hold.records) = (Standing::Gone, Vec::new());
    let objects: Vec<ObjectRef> = state.objects().filter(|object| object.tenant() == id).collect();
    objects.into_iter().for_each(|gone| effects.touch(gone));
    if let Some(tenant) = state.tenants.remove(id) {
        for node in tenant.calls().flat_map(|call| call.media.open_at()) {
            state.count_session(node, false);
        }
    }
    effects.kept = true;
    Reply::Done
}
