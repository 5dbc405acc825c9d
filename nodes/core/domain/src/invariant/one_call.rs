//! I2: a person has one call at most, and the call and the person agree about it.

use std::collections::BTreeMap;

use super::Violation;
use crate::tenant::Tenant;

pub(super) fn check(tenant: &Tenant, found: &mut Vec<Violation>) {
    let mut held = BTreeMap::new();
    for call in tenant.calls().filter(|call| !call.is_over()) {
        let alive = call.parties.values().filter(|party| party.is_alive());
        for employee in alive.filter_map(|party| party.employee.as_ref()) {
            if held.insert(employee, call.id).is_some_and(|other| other != call.id) {
                found.push(Violation::new("I2", format!("{employee} is in {} and in another call", call.id)));
            }
        }
    }
    for agent in tenant.agents() {
        let engaged = agent.engaged.map(|engaged| engaged.call);
        if engaged != held.get(&agent.id).copied() {
            let what = format!("{} believes in {engaged:?}, calls say {:?}", agent.id, held.get(&agent.id));
            found.push(Violation::new("I2", what));
        }
    }
}
