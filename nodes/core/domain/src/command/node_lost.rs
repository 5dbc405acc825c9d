//! A node is gone for good. Dialogs that it carried go on through another edge of the same transport, sessions on
//! another media node, and far ends are told by re-INVITE, talks first; without a media node, calls in which nobody hears
//! anything any more end. Phones over its WebSockets are gone with it, and do not ring any more.

use std::{collections::BTreeSet, sync::Arc};

use mangrove_proto::{
    id::{CallId, LegId},
    live::EndedBy,
};

use super::edge_reported;
use crate::{
    call::{Call, end, fact, party::Party, replace, retell},
    cause::Cause,
    effect::{Effects, Reply},
    line, media,
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(
    state: &mut State,
    name: &str,
    tells: bool,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    if state.nodes.remove(name).is_none() {
        return Reply::NotFound { what: format!("node {name}") };
    }
    for tenant in state.movable() {
        scene::play(state, &tenant, stamp, effects, |scene| leave(name, tells, scene));
    }
    Reply::Done
}

/// A tenant does without a node.
fn leave(name: &str, tells: bool, scene: &mut Scene<'_>) {
    close_websockets(name, scene);
    let hit = scene.tenant.calls().filter(|call| is_hit(call, name));
    let place = |call: &Call| if tells { retell::place(call) } else { 0 };
    let mut hit: Vec<(u8, CallId)> = hit.map(|call| (place(call), call.id)).collect();
    hit.sort_unstable();
    for (_, call) in hit {
        scene.with_call(call, |call, scene| go_on(call, name, tells, scene));
    }
}

/// A tenant that comes, or was frozen, does without all nodes that are not known here. Of another edge its far ends hear
/// with what they are sent next.
pub(super) fn leave_strangers(scene: &mut Scene<'_>) {
    let nodes = scene.tenant.calls().flat_map(used).filter(|name| !scene.state.nodes.contains_key(*name));
    for name in nodes.map(str::to_owned).collect::<BTreeSet<String>>() {
        leave(&name, false, scene);
    }
}

fn used(call: &Call) -> impl Iterator<Item = &str> {
    let edges = call.parties.values().map(|party| party.line.edge.as_str());
    call.media.open_at().chain(unfinished_at(call)).chain(edges).filter(|name| !name.is_empty())
}

fn is_hit(call: &Call, name: &str) -> bool {
    call.media.node == name
        || call.media.was_at(name)
        || unfinished_at(call).any(|node| node == name)
        || call.parties.values().any(|party| party.line.edge == name)
}

/// Where former recordings are made whole.
fn unfinished_at(call: &Call) -> impl Iterator<Item = &str> {
    let unfinished = call.earlier.iter().filter(|former| former.finished.is_none());
    unfinished.map(|former| former.node.as_str())
}

/// Nobody can connect to who came by a WebSocket: they come back by another edge.
fn close_websockets(edge: &str, scene: &mut Scene<'_>) {
    let phones = scene.tenant.agents().flat_map(|agent| agent.phones.values());
    let flows: Vec<String> = phones.flat_map(|phone| phone.websockets_at(edge)).map(str::to_owned).collect();
    for flow in flows {
        edge_reported::forget_flow(&flow, scene);
    }
}

fn go_on(call: &mut Call, name: &str, tells: bool, scene: &mut Scene<'_>) {
    stop_ringing(call, name, scene);
    let mut moved = to_another_edge(call, name, scene);
    let is_silent = call.media.node == name;
    if !media::lose(call, name, scene) {
        return end::end(call, Cause::MediaLost, EndedBy::System, scene);
    }
    let waits = |party: &&Arc<Party>| is_silent && party.address.is_none();
    moved.extend(call.parties.values().filter(waits).map(|party| party.id));
    if tells {
        retell::line_up(call, &moved, scene);
        retell::fire(call, scene);
    }
}

/// Phones that rang over the edge's WebSockets: others of the same offer ring on, or the offer has failed. Who was about to
/// take a place over one gets none.
fn stop_ringing(call: &mut Call, edge: &str, scene: &mut Scene<'_>) {
    let gone = |party: &&Arc<Party>| party.line.edge == edge && party.line.is_over_websocket();
    let legs: Vec<LegId> = call.parties.values().filter(gone).map(|party| party.id).collect();
    for leg in legs {
        if call.party(leg).is_some_and(replace::waits) {
            replace::give_up(call, leg, Cause::FarEndGone, scene);
        } else if call.party(leg).is_some_and(|party| party.line.is_planned()) {
            fact::left(call, leg, Cause::Unreachable, scene);
        } else {
            line::unreachable(call, leg, scene);
        }
    }
}

/// The legs that another edge carries from now on.
fn to_another_edge(call: &mut Call, name: &str, scene: &Scene<'_>) -> Vec<LegId> {
    let mut moved = Vec::new();
    for party in call.parties.values_mut().filter(|party| party.line.edge == name).map(Arc::make_mut) {
        if let Some(edge) = scene.edge_for(party.line.transport, "") {
            party.line.edge = edge;
            moved.push(party.id);
        }
    }
    moved
}
