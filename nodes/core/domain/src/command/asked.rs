//! What somebody asks for is granted once, however often it arrives, and not after something that they asked for later.

use std::sync::Arc;

use mangrove_proto::id::{EmployeeId, TenantId};

use crate::{
    ask::{Ask, Turn},
    effect::Reply,
    state::State,
};

/// About an employee.
pub(super) fn once(
    state: &mut State,
    (tenant, employee): (&TenantId, &EmployeeId),
    ask: Option<Ask>,
    grant: impl FnOnce(&mut State) -> Reply,
) -> Reply {
    let agent = state.tenant(tenant).and_then(|tenant| tenant.agent(employee));
    match agent.map_or(Turn::New, |agent| agent.asks.turn(ask)) {
        Turn::New => {}
        Turn::Again => return Reply::Seen,
        Turn::Late => {
            return Reply::Conflict { what: format!("employee {employee}: asked for something else since") };
        }
    }
    let reply = grant(state);
    if let (Reply::Done, Some(ask)) = (&reply, ask) {
        note(state, tenant, employee, ask);
    }
    reply
}

fn note(state: &mut State, tenant: &TenantId, employee: &EmployeeId, ask: Ask) {
    let Some(tenant) = state.tenants.get_mut(tenant) else { return };
    if let Some(agent) = Arc::make_mut(tenant).agents.get_mut(employee) {
        Arc::make_mut(agent).asks.note(ask);
    }
}
