//! A node is there: its addresses go into what we tell far ends from now on.

use std::sync::Arc;

use super::NodeInfo;
use crate::{
    effect::Reply,
    state::{Node, State},
};

pub(super) fn apply(state: &mut State, info: NodeInfo) -> Reply {
    let sessions = state.nodes.get(&info.name).map_or(0, |node| node.sessions);
    state.nodes.insert(info.name.clone(), Node { info: Arc::new(info), sessions });
    Reply::Done
}
