//! A node is gone for good. Dialogs that it carried go on through another edge of the same transport, sessions on
//! another media node; without one, calls in which nobody hears anything any more end.

use std::{collections::BTreeSet, sync::Arc};

use mangrove_proto::{id::CallId, live::EndedBy};

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
    for tenant in state.movable() {
        scene::play(state, &tenant, stamp, effects, |scene| leave(name, scene));
    }
    Reply::Done
}

/// A tenant does without a node.
fn leave(name: &str, scene: &mut Scene<'_>) {
    let hit = scene.tenant.calls().filter(|call| is_hit(call, name)).map(|call| call.id);
    for call in hit.collect::<Vec<CallId>>() {
        scene.with_call(call, |call, scene| go_on(call, name, scene));
    }
}

/// A tenant that comes, or was frozen, does without all nodes that are not known here.
pub(super) fn leave_strangers(scene: &mut Scene<'_>) {
    let nodes = scene.tenant.calls().flat_map(used).filter(|name| !scene.state.nodes.contains_key(*name));
    for name in nodes.map(str::to_owned).collect::<BTreeSet<String>>() {
        leave(&name, scene);
    }
}

fn used(call: &Call) -> impl Iterator<Item = &str> {
    let edges = call.parties.values().map(|party| party.line.edge.as_str());
    call.media.open_at().chain(edges).filter(|name| !name.is_empty())
}

fn is_hit(call: &Call, name: &str) -> bool {
    call.media.node == name
        || call.media.was_at(name)
        || call.parties.values().any(|party| party.line.edge == name)
}

fn go_on(call: &mut Call, name: &str, scene: &mut Scene<'_>) {
    for party in call.parties.values_mut().filter(|party| party.line.edge == name).map(Arc::make_mut) {
        if let Some(edge) = scene.edge_for(party.line.transport, "") {
            party.line.edge = edge;
        }
    }
    if !media::lose(call, name, scene) {
        end::end(call, Cause::MediaLost, EndedBy::System, scene);
    }
}
