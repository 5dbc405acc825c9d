//! `group`: answers and lets the guest wait for one of the group's agents.

use mangrove_proto::id::GroupId;

use super::Flow;
use crate::{
    call::{Call, enqueue},
    scene::Scene,
};

/// `priority`: the call's own when absent.
pub(super) fn run(group: &GroupId, priority: Option<i32>, call: &mut Call, scene: &mut Scene<'_>) -> Flow {
    enqueue::enqueue(call, group, priority.unwrap_or(call.priority), scene)
}
