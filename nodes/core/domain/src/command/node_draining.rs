//! A node is about to go, and its addresses can't go to another one: new sessions are opened elsewhere, and those that are
//! there leave it while people talk ([`media::begin`]). Again is harmless: it finds those that could not leave before.

use mangrove_proto::id::CallId;

use crate::{
    call::retell,
    effect::{Effects, Reply},
    media,
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(state: &mut State, name: &str, stamp: Stamp, effects: &mut Effects) -> Reply {
    let Some(node) = state.nodes.get_mut(name) else {
        return Reply::NotFound { what: format!("node {name}") };
    };
    node.draining = true;
    for tenant in state.movable() {
        scene::play(state, &tenant, stamp, effects, leave);
    }
    Reply::Done
}

/// A tenant's sessions leave all nodes that are about to go.
pub(super) fn leave(scene: &mut Scene<'_>) {
    let stays = |node: &str| !scene.state.is_draining(node);
    let there = scene.tenant.calls().filter(|call| !call.is_over() && !stays(&call.media.node));
    let mut there: Vec<(u8, CallId)> = there.map(|call| (retell::place(call), call.id)).collect();
    there.sort_unstable();
    for (_, call) in there {
        scene.with_call(call, media::begin);
    }
}
