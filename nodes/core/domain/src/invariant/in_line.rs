//! I6: who waits has one place in one line; a line holds nobody else. Places are never changed, so the order is that
//! of the log within a priority.

use super::Violation;
use crate::{call::stage::Stage, tenant::Tenant};

pub(super) fn check(tenant: &Tenant, found: &mut Vec<Violation>) {
    for call in tenant.calls() {
        let Stage::Waiting(waiting) = &call.stage else { continue };
        let holder = tenant.queue(&waiting.group).and_then(|queue| queue.waiting.get(&waiting.place));
        if holder != Some(&call.id) {
            found.push(Violation::new("I6", format!("{} waits without its place", call.id)));
        }
    }
    for (group, queue) in tenant.queues() {
        for (place, id) in &queue.waiting {
            let waits = tenant.call(*id).is_some_and(|call| match &call.stage {
                Stage::Waiting(waiting) => waiting.group == *group && waiting.place == *place,
                _ => false,
            });
            if !waits {
                found.push(Violation::new(
                    "I6",
                    format!("{id} has a place in {group} but does not wait there"),
                ));
            }
        }
    }
}
