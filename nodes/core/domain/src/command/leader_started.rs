//! A leader begins after a gap in which nobody could refresh anything: registrations and sessions live that much
//! longer.

use std::sync::Arc;

use crate::{agent::Agent, call::Call, effect::Reply, state::State, tenant::Tenant};

pub(super) fn apply(state: &mut State, gap_ms: u64) -> Reply {
    if gap_ms == 0 {
        return Reply::Done;
    }
    for id in state.tenants.keys().cloned().collect::<Vec<_>>() {
        if let Some(tenant) = state.tenants.get_mut(&id) {
            extend(Arc::make_mut(tenant), gap_ms);
        }
    }
    Reply::Done
}

fn extend(tenant: &mut Tenant, gap_ms: u64) {
    let registered: Vec<_> =
        tenant.agents().filter(|agent| !agent.phones.is_empty()).map(|agent| agent.id.clone()).collect();
    for id in registered {
        if let Some(agent) = tenant.agents.get_mut(&id) {
            let agent: &mut Agent = Arc::make_mut(agent);
            agent.phones.values_mut().for_each(|phone| phone.extend(gap_ms));
        }
    }
    for id in tenant.calls.keys().copied().collect::<Vec<_>>() {
        if let Some(call) = tenant.calls.get_mut(&id) {
            let call: &mut Call = Arc::make_mut(call);
            call.parties.values_mut().map(Arc::make_mut).for_each(|party| party.line.extend(gap_ms));
        }
    }
}
