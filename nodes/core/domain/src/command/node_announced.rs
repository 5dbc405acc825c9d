//! A node is there, and stays: its addresses go into what we tell far ends from now on.

use std::sync::Arc;

use super::NodeInfo;
use crate::{
    call::Call,
    effect::Reply,
    state::{Node, State},
};

pub(super) fn apply(state: &mut State, info: NodeInfo) -> Reply {
    let known = state.nodes.get(&info.name).map(|node| node.sessions);
    let sessions = known.unwrap_or_else(|| open_there(state, &info.name));
    state.nodes.insert(info.name.clone(), Node { info: Arc::new(info), sessions, draining: false });
    Reply::Done
}

/// A tenant that was frozen when the node was lost still has its sessions there.
fn open_there(state: &State, node: &str) -> u64 {
    let is_there = |call: &&Call| call.media.open_at().any(|name| name == node);
    state.tenants().map(|(_, tenant)| tenant.calls().filter(is_there).count() as u64).sum()
}
