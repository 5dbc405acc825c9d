//! Brings waiting callers and free agents together, after every command, in the queues that it touched. Choosing and
//! reserving are one step: nobody is offered twice. Callers whom nobody is left to serve go where their group says.

use mangrove_proto::id::{CallId, EmployeeId, GroupId};

use crate::{
    call::{
        Call, dial_out,
        enqueue::{self, Overflowed},
        party::Role,
        stage::{Stage, Waiting},
    },
    config::{Group, Strategy},
    queue::Place,
    ready::Turn,
    scene::Scene,
    strategy::{self, Candidate},
};

/// How long an agent is left alone whose phones turned out to be out of reach.
const PAUSE_MS: u64 = 5_000;

/// Looks at the marked queues until nothing more can be offered. An agent of several groups goes to the caller who is
/// first among all of them.
pub(crate) fn settle(scene: &mut Scene<'_>) {
    while let Some((group, call)) = next(scene) {
        let config = scene.tenant.config.clone();
        if !config.groups.get(&group).is_some_and(|group| assign(call, group, scene)) {
            scene.dirty.remove(&group);
        }
    }
}

/// The first in line of all marked queues, with the queue. A queue in which nobody needs an offer loses its mark.
fn next(scene: &mut Scene<'_>) -> Option<(GroupId, CallId)> {
    let mut dirty = std::mem::take(&mut scene.dirty);
    let mut first: Option<(Place, GroupId, CallId)> = None;
    dirty.retain(|group| {
        let found = first_of(group, scene);
        if let Some((place, call)) = found
            && first.as_ref().is_none_or(|(least, ..)| place < *least)
        {
            first = Some((place, group.clone(), call));
        }
        found.is_some()
    });
    scene.dirty = dirty;
    first.map(|(_, group, call)| (group, call))
}

fn first_of(group: &GroupId, scene: &Scene<'_>) -> Option<(Place, CallId)> {
    let waiting = &scene.tenant.queue(group)?.waiting;
    let found = waiting.iter().find(|(_, call)| needs_offer(**call, scene).is_some());
    found.map(|(place, call)| (*place, *call))
}

/// A waiting call that nobody is rung for, and that may still be offered. One whose guest is away keeps its place.
fn needs_offer<'a>(call: CallId, scene: &'a Scene<'_>) -> Option<&'a Waiting> {
    let call = scene.tenant.call(call)?;
    let Stage::Waiting(waiting) = &call.stage else { return None };
    let overdue = waiting.deadline.is_some_and(|deadline| deadline <= scene.now());
    (call.offers.is_empty() && !overdue && !call.guest_is_away()).then_some(waiting)
}

/// Offers one call to the agents whose turn it is. False: there are none, and nobody else in this line has a chance.
fn assign(call: CallId, group: &Group, scene: &mut Scene<'_>) -> bool {
    let Some(tried) = needs_offer(call, scene).map(|waiting| waiting.tried.clone()) else { return false };
    let candidates = candidates(group, &tried, scene);
    if candidates.is_empty() {
        return enqueue::is_deserted(group, scene) && send_on(call, scene);
    }
    offer(call, group, &strategy::choose(group.strategy, &candidates, &mut scene.seed), scene);
    true
}

/// The last agent is gone.
fn send_on(call: CallId, scene: &mut Scene<'_>) -> bool {
    scene.with_call(call, |call, scene| enqueue::leave(call, Overflowed::Nobody, scene)).is_some()
}

type Tried = std::collections::BTreeMap<EmployeeId, u32>;

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
