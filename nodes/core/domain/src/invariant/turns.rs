//! I5, the other half: those who stand ready for a group are exactly its free agents, each with one turn.

use super::Violation;
use crate::{ready, tenant::Tenant};

pub(super) fn check(tenant: &Tenant, found: &mut Vec<Violation>) {
    for group in tenant.config.groups.values() {
        let kept = tenant.queue(&group.id).map(|queue| queue.ready.clone()).unwrap_or_default();
        let due = ready::of(tenant, group);
        if kept != due {
            found.push(Violation::new("I5", format!("{} has {kept:?} ready, not {due:?}", group.id)));
        }
    }
}
