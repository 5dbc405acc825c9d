//! I2: a person has one call at most, and one of their own beside it while they ask somebody. The calls and the person
//! agree about it.

use std::collections::{BTreeMap, BTreeSet};

use mangrove_proto::id::CallId;

use super::Violation;
use crate::tenant::Tenant;

pub(super) fn check(tenant: &Tenant, found: &mut Vec<Violation>) {
    let mut held = BTreeMap::<_, BTreeSet<CallId>>::new();
    for call in tenant.calls().filter(|call| !call.is_over()) {
        let alive = call.parties.values().filter(|party| party.is_alive());
        for employee in alive.filter_map(|party| party.employee.as_ref()) {
            held.entry(employee).or_default().insert(call.id);
        }
    }
    for agent in tenant.agents() {
        let believed: BTreeSet<CallId> = agent.calls().collect();
        let calls = held.get(&agent.id).cloned().unwrap_or_default();
        if believed != calls || (agent.consults.is_some() && agent.engaged.is_none()) {
            let what = format!("{} believes in {believed:?}, calls say {calls:?}", agent.id);
            found.push(Violation::new("I2", what));
        }
    }
}
