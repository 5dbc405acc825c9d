//! A node is gone for good. Dialogs that it carried go on through another edge of the same transport, sessions on
//! another media node; without one, calls in which nobody hears anything any more end.

use std::sync::Arc;

use mangrove_proto::{
    id::{CallId, TenantId},
    live::EndedBy,
};

use crate::{
    call::{Call, end},
    cause::Cause,
    effect::{Effects, Reply},
    media,
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(state: &mut State, name: &str, stamp: Stamp, effects: &mut Effects) -> Reply {
    if state.nodes.remove(name).is_none() {
        return Reply::NotFound { what: format!("node {name}") };
    }
    let tenants: Vec<TenantId> = state.tenants.keys().cloned().collect();
    for tenant in tenants {
        scene::play(state, &tenant, stamp, effects, |scene| {
            let hit = scene.tenant.calls().filter(|call| is_hit(call, name)).map(|call| call.id);
            for call in hit.collect::<Vec<CallId>>() {
                scene.with_call(call, |call, scene| go_on(call, name, scene));
            }
        });
    }
    Reply::Done
}

fn is_hit(call: &Call, name: &str) -> bool {
    call.media.node == name || call.parties.values().any(|party| party.line.edge == name)
}

fn go_on(call: &mut Call, name: &str, scene: &mut Scene<'_>) {
    for party in call.parties.values_mut().filter(|party| party.line.edge == name).map(Arc::make_mut) {
        if let Some(edge) = scene.edge_for(party.line.transport, "") {
            party.line.edge = edge;
        }
    }
    if call.media.node == name && !call.is_over() && !media::move_away(call, scene) {
        end::end(call, Cause::MediaLost, EndedBy::System, scene);
    }
}
