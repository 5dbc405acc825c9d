//! A leader begins after a gap in which nobody could refresh or report anything: registrations and sessions live that
//! much longer, and a phone that was answered meanwhile gets the time to say so again.

use std::sync::Arc;

use crate::{agent::Agent, call::Call, effect::Reply, state::State, tenant::Tenant};

/// A 2xx is repeated at intervals of up to T2 = 4 s until its ACK comes (RFC 3261 13.3.1.4).
pub(super) const ANSWER_AGAIN_MS: u64 = 4_500;

pub(super) fn apply(state: &mut State, gap_ms: u64, now: u64) -> Reply {
    for id in state.movable() {
        let Some(tenant) = state.tenants.get_mut(&id).map(Arc::make_mut) else { continue };
        if gap_ms != 0 {
            extend(tenant, gap_ms);
        }
        let now = tenant.now(now);
        ring_on(tenant, now + ANSWER_AGAIN_MS);
    }
    Reply::Done
}

/// No phone stops ringing before `until`.
pub(super) fn ring_on(tenant: &mut Tenant, until: u64) {
    let ringing = tenant.calls().filter(|call| call.offers.iter().any(|offer| offer.until < until));
    for id in ringing.map(|call| call.id).collect::<Vec<_>>() {
        if let Some(call) = tenant.calls.get_mut(&id).map(Arc::make_mut) {
            call.offers.iter_mut().for_each(|offer| offer.until = offer.until.max(until));
        }
    }
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
            for party in call.parties.values_mut().map(Arc::make_mut) {
                party.line.extend(gap_ms);
                if let Some(away) = &mut party.away {
                    away.until += gap_ms;
                }
            }
        }
    }
}
