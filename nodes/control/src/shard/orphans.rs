//! Sessions that media nodes hold though no call of ours has them: a new leader ends them.

use mangrove_domain::{Action, State, Tenant};
use mangrove_membership::Fence;
use mangrove_proto::{
    common,
    id::{CallId, TenantId},
    media::{Holding, MediaCommand, SetSession},
};

use super::Context;

/// Asks all media nodes what they hold of the group, and ends what nobody wants. Judged by the state after the answer: a
/// session of a call that came meanwhile is wanted.
pub(super) async fn end(Context { group, shared, peers, .. }: Context, fence: Fence) {
    for (node, holding) in peers.holdings(group).await {
        let state = shared.get().state;
        if has_session(&state, &holding) {
            continue;
        }
        let action = Action::Media { node, command: close(&state, holding, fence) };
        if let Err(error) = peers.execute(group, action).await {
            tracing::warn!(group, %error, "orphaned media session stays until its node ends it");
        }
    }
}

fn close(state: &State, holding: Holding, fence: Fence) -> MediaCommand {
    let tenant = state.tenant(&TenantId::from(holding.tenant.as_str()));
    let set = SetSession {
        session: holding.session,
        version: holding.version + 1,
        close: true,
        ..SetSession::default()
    };
    let fence = common::Fence {
        incarnation: fence.incarnation,
        tenant_epoch: tenant.map_or(0, Tenant::epoch),
        term: fence.term,
        index: fence.index,
    };
    MediaCommand { effect: 0, tenant: holding.tenant, fence: Some(fence), set: Some(set) }
}

fn has_session(state: &State, holding: &Holding) -> bool {
    let tenant = state.tenant(&TenantId::from(holding.tenant.as_str()));
    let call = holding.session.parse::<CallId>().ok();
    tenant.zip(call).is_some_and(|(tenant, call)| tenant.call(call).is_some())
}
