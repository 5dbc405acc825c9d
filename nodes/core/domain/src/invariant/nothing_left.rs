//! I8: nothing outlives its call: no leg in the index, no mark of an INVITE, no channel, no media session.

use std::collections::BTreeMap;

use super::Violation;
use crate::{state::State, tenant::Tenant};

pub(super) fn check(tenant: &Tenant, found: &mut Vec<Violation>) {
    let indexed = |leg, call| tenant.call(call).is_some_and(|call| call.party(leg).is_some());
    for (leg, call) in &tenant.legs {
        if !indexed(*leg, *call) {
            found.push(Violation::new("I8", format!("{leg} belongs to no call")));
        }
    }
    let legs: usize = tenant.calls().map(|call| call.parties.len()).sum();
    let parties = tenant.calls().flat_map(|call| call.parties.values());
    let invites = tenant.calls.len() + parties.filter(|party| party.arrival.is_some()).count();
    if legs != tenant.legs.len() || tenant.arrivals.len() != invites {
        let what = format!(
            "{legs} legs, {} indexed; {invites} INVITEs, {} marked",
            tenant.legs.len(),
            tenant.arrivals.len()
        );
        found.push(Violation::new("I8", what));
    }
    for call in tenant.calls().filter(|call| call.is_over()) {
        let open = call.parties.values().any(|party| party.is_alive());
        let sounds = call.media.open_at().next().is_some();
        if open || !call.offers.is_empty() || !call.channels.is_empty() || sounds {
            found.push(Violation::new("I8", format!("{} is over but holds on to something", call.id)));
        }
    }
}

/// The nodes' counts of sessions are those of the calls.
pub(super) fn sessions(state: &State, found: &mut Vec<Violation>) {
    let mut open: BTreeMap<&str, u64> = BTreeMap::new();
    for node in state.tenants().flat_map(|(_, tenant)| tenant.calls()).flat_map(|call| call.media.open_at()) {
        *open.entry(node).or_default() += 1;
    }
    for (name, node) in &state.nodes {
        let counted = open.get(name.as_str()).copied().unwrap_or(0);
        if node.sessions != counted {
            let what =
                format!("{name} is said to have {} sessions, calls have {counted} there", node.sessions);
            found.push(Violation::new("I8", what));
        }
    }
}
