//! `group`: answers and lets the guest wait for one of the group's agents.

use mangrove_proto::id::GroupId;

use super::Flow;
use crate::{
    call::{Call, enqueue},
    scene::Scene,
};

pub(super) fn run(group: &GroupId, call: &mut Call, scene: &mut Scene<'_>) -> Flow {
    enqueue::enqueue(call, group, scene);
    Flow::Wait
}
