//! Brings waiting callers and free agents together, after every command, in the queues that it touched. Choosing and
//! reserving are one step: nobody is offered twice.

use mangrove_proto::id::{CallId, GroupId};

use crate::{
    broken,
    call::{Call, dial_out, party::Role, stage::Stage},
    config::Group,
    scene::Scene,
    strategy::{self, Candidate},
};

/// How long an agent is left alone whose phones turned out to be out of reach.
const PAUSE_MS: u64 = 5_000;

/// Looks at every marked queue until nothing more can be offered.
pub(crate) fn settle(scene: &mut Scene<'_>) {
    while let Some(group) = scene.dirty.pop_first() {
        assign(&group, scene);
    }
}

/// Offers the callers of one queue, first in line first, to the agents who are free. Looking for them walks the group
/// once, not once for each caller.
fn assign(group: &GroupId, scene: &mut Scene<'_>) {
    let config = scene.tenant.config.clone();
    let Some(group) = config.groups.get(group) else { return };
    let waiting = scene.tenant.queue(&group.id).map(|queue| queue.waiting.clone()).unwrap_or_default();
    if waiting.is_empty() {
        return;
    }
    let mut free = free(group, scene);
    for call in waiting.values() {
        if free.is_empty() {
            return;
        }
        let Some(tried) = tried(*call, scene) else { continue };
        let chosen = strategy::choose(group.strategy, &candidates(group, &free, &tried, scene), &mut scene.seed);
        offer(*call, group, &chosen, scene);
        let asked = |index: usize| chosen.iter().any(|candidate| candidate.order == index);
        free.retain(|index| !asked(*index) || is_free(group, *index, scene));
    }
}

type Tried = std::collections::BTreeMap<mangrove_proto::id::EmployeeId, u32>;

/// Whom a call was offered to before; none when it needs no offer now.
fn tried(call: CallId, scene: &Scene<'_>) -> Option<Tried> {
    let call = scene.tenant.call(call)?;
    match &call.stage {
        Stage::Waiting(waiting) => {
            let overdue = waiting.deadline.is_some_and(|deadline| deadline <= scene.now());
            (call.offers.is_empty() && !overdue).then(|| waiting.tried.clone())
        }
        _ => None,
    }
}

/// The members who could take a call now, by their place in the group.
fn free(group: &Group, scene: &Scene<'_>) -> Vec<usize> {
    (0..group.members.len()).filter(|index| is_free(group, *index, scene)).collect()
}

fn is_free(group: &Group, index: usize, scene: &Scene<'_>) -> bool {
    let now = scene.now();
    let agent = scene.tenant.agent(&group.members[index].employee);
    agent.is_some_and(|agent| agent.is_assignable(now) || broken::ignores_reservations(agent, now))
}

/// Of the free members those of the lowest priority number.
fn candidates(group: &Group, free: &[usize], tried: &Tried, scene: &Scene<'_>) -> Vec<Candidate> {
    let lowest = free.iter().map(|index| group.members[*index].priority).min();
    let asked = free.iter().filter(|index| Some(group.members[**index].priority) == lowest);
    let candidate = |index: &usize| {
        let employee = group.members[*index].employee.clone();
        let idle_since = scene.tenant.agent(&employee).map_or(0, |agent| agent.idle_since);
        let tried = tried.get(&employee).copied().unwrap_or(0);
        Candidate { employee, order: *index, idle_ms: scene.now().saturating_sub(idle_since), tried }
    };
    asked.map(candidate).collect()
}

fn offer(call: CallId, group: &Group, chosen: &[Candidate], scene: &mut Scene<'_>) {
    scene.with_call(call, |call, scene| {
        for candidate in chosen {
            ring(call, group, candidate, scene);
        }
    });
}

fn ring(call: &mut Call, group: &Group, candidate: &Candidate, scene: &mut Scene<'_>) {
    let config = scene.tenant.config.clone();
    let Some(employee) = config.employees.get(&candidate.employee) else { return };
    if let Stage::Waiting(waiting) = &mut call.stage {
        *waiting.tried.entry(employee.id.clone()).or_default() += 1;
    }
    let why = format!("{}, idle {} s", group.strategy.as_str(), candidate.idle_ms / 1000);
    scene.tell(call, format!("offered to {}", employee.id), why);
    if dial_out::ring(call, employee, Role::Offer, group.ring_ms, scene).is_err() {
        let until = scene.now() + PAUSE_MS;
        scene.with_agent(&employee.id, |agent| agent.pause = Some(until));
    }
}
