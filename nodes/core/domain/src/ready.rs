//! Who is ready for a group's callers, in the order of their turn. Worked out from the agents and kept beside each
//! queue, so that finding the next agent costs the same in a group of four and of four hundred.

use std::sync::Arc;

use imbl::OrdSet;
use mangrove_proto::id::{EmployeeId, GroupId};

use crate::{agent::Agent, config::Group, tenant::Tenant};

/// An agent's turn: lower priority numbers first, then whoever has been idle the longest, then the place in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    pub(crate) priority: u32,
    pub(crate) idle_since: u64,
    pub(crate) place: usize,
}

/// The agents of one group who are free of calls and work and have a phone. Whether the phone can be reached at this
/// instant, and whether they are spared for a while, is asked when their turn comes.
pub(crate) type Ready = OrdSet<Turn>;

/// Follows a change of one agent, in all their groups.
pub(crate) fn follow(tenant: &mut Tenant, employee: &EmployeeId, before: Option<u64>) {
    let after = tenant.agent(employee).and_then(Agent::ready_since);
    if before == after {
        return;
    }
    let config = tenant.config.clone();
    for (group, place) in config.memberships(employee) {
        let priority = config.groups[group].members[*place].priority;
        let turn = |idle_since| Turn { priority, idle_since, place: *place };
        let ready = &mut Arc::make_mut(tenant.queues.entry(group.clone()).or_default()).ready;
        before.map(|since| ready.remove(&turn(since)));
        after.map(|since| ready.insert(turn(since)));
    }
}

/// As it must be for one group.
pub(crate) fn of(tenant: &Tenant, group: &Group) -> Ready {
    let turn = |(place, member): (usize, &crate::config::Member)| {
        let idle_since = tenant.agent(&member.employee)?.ready_since()?;
        Some(Turn { priority: member.priority, idle_since, place })
    };
    group.members.iter().enumerate().filter_map(turn).collect()
}

/// Works it out for all groups: after a change of the groups, and in a state that was read.
pub(crate) fn line_up(tenant: &mut Tenant) {
    let config = tenant.config.clone();
    for group in config.groups.values() {
        let ready = of(tenant, group);
        let kept: &GroupId = &group.id;
        if let Some(queue) = tenant.queues.get_mut(kept) {
            Arc::make_mut(queue).ready = ready;
        }
    }
}
