//! Brings waiting callers and free agents together, after every command, in the queues that it touched. Choosing and
//! reserving are one step: nobody is offered twice.

use mangrove_proto::id::{CallId, GroupId};

use crate::{
    call::{Call, dial_out, party::Role, stage::Stage},
    config::{Group, Strategy},
    ready::Turn,
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

/// Offers the callers of one queue, first in line first, to the agents who are ready.
fn assign(group: &GroupId, scene: &mut Scene<'_>) {
    let config = scene.tenant.config.clone();
    let Some(group) = config.groups.get(group) else { return };
    let waiting = scene.tenant.queue(&group.id).map(|queue| queue.waiting.clone()).unwrap_or_default();
    for call in waiting.values() {
        let Some(tried) = tried(*call, scene) else { continue };
        let candidates = candidates(group, &tried, scene);
        if candidates.is_empty() {
            return;
        }
        offer(*call, group, &strategy::choose(group.strategy, &candidates, &mut scene.seed), scene);
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

/// Who could take a call now, of those the ones with the lowest priority number; for `longest-idle` only the first of
/// them, whose turn it is anyway.
fn candidates(group: &Group, tried: &Tried, scene: &Scene<'_>) -> Vec<Candidate> {
    let now = scene.now();
    let Some(queue) = scene.tenant.queue(&group.id) else { return Vec::new() };
    let mut free = queue.ready.iter().filter(|turn| {
        let agent = scene.tenant.agent(&group.members[turn.place].employee);
        agent.is_some_and(|agent| agent.is_assignable(now))
    });
    let Some(first) = free.next() else { return Vec::new() };
    let others = free.take_while(|turn| turn.priority == first.priority);
    let most = if group.strategy == Strategy::LongestIdle { 1 } else { usize::MAX };
    let asked = std::iter::once(first).chain(others).take(most);
    let mut candidates: Vec<_> = asked.map(|turn| candidate(group, turn, tried, now)).collect();
    candidates.sort_by_key(|candidate| candidate.order);
    candidates
}

fn candidate(group: &Group, turn: &Turn, tried: &Tried, now: u64) -> Candidate {
    let employee = group.members[turn.place].employee.clone();
    let tried = tried.get(&employee).copied().unwrap_or(0);
    Candidate { employee, order: turn.place, idle_ms: now.saturating_sub(turn.idle_since), tried }
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
