//! Waiting in a group's queue: getting in line, being served, leaving. A place in line never changes while the caller
//! waits, whatever becomes of offers.

use std::collections::BTreeMap;

use mangrove_proto::id::GroupId;

use super::{
    Call, announce, offer, plan,
    stage::{Stage, Waiting},
};
use crate::{
    cause::Cause,
    config::{AtMaxWait, Group},
    line,
    queue::Place,
    scene::Scene,
    step::Flow,
};

/// Puts the guest in line, or on another way when the line is full or nobody serves it.
pub(crate) fn enqueue(call: &mut Call, group: &GroupId, priority: i32, scene: &mut Scene<'_>) -> Flow {
    let config = scene.tenant.config.clone();
    let Some(group) = config.groups.get(group) else { return Flow::Next(Cause::NotFound) };
    call.group = Some(group.id.clone());
    scene.count(&group.id, |today| today.offered += 1);
    let length = scene.queue_mut(&group.id).waiting.len();
    if group.queue.max_length.is_some_and(|most| length >= most as usize) {
        overflow(call, group, Overflowed::Full, scene);
        return Flow::Diverted;
    }
    if is_deserted(group, scene) {
        overflow(call, group, Overflowed::Nobody, scene);
        return Flow::Diverted;
    }
    line::answer(call, call.guest, scene);
    wait(call, group, priority, scene);
    Flow::Wait
}

fn wait(call: &mut Call, group: &Group, priority: i32, scene: &mut Scene<'_>) {
    let since = scene.moment();
    let place = Place { priority, number: scene.tenant.next_number() };
    let queue = scene.queue_mut(&group.id);
    let behind = queue.waiting.keys().rev().take_while(|other| **other > place).count();
    queue.waiting.insert(place, call.id);
    let position = queue.waiting.len() - behind;
    scene.tell(call, format!("waits for {}", group.name), format!("{position}. in line"));
    let deadline = group.queue.max_wait_ms.map(|most| since.now.saturating_add(most));
    let finish = group.queue.at_max_wait == AtMaxWait::FinishRinging;
    let (tried, announcement) = (BTreeMap::new(), announce::first(group, scene));
    let waiting = Waiting { group: group.id.clone(), place, since, deadline, finish, tried, announcement };
    call.move_to(Stage::Waiting(waiting), since);
    scene.dirty.insert(group.id.clone());
}

/// Whether no agent of the group is there, in a call or not, and its callers have somewhere else to go.
pub(crate) fn is_deserted(group: &Group, scene: &Scene<'_>) -> bool {
    let now = scene.now();
    let present = |agent: &crate::agent::Agent| agent.is_present(now);
    let served =
        || group.members.iter().any(|member| scene.tenant.agent(&member.employee).is_some_and(present));
    !group.overflow.nobody.is_empty() && !served()
}

/// Why a queue does not keep a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflowed {
    Waited,
    Full,
    Nobody,
}

fn overflow(call: &mut Call, group: &Group, why: Overflowed, scene: &mut Scene<'_>) {
    scene.count(&group.id, |today| today.overflowed += 1);
    let (steps, cause) = match why {
        Overflowed::Waited => (&group.overflow.waited, Cause::WaitedTooLong),
        Overflowed::Full => (&group.overflow.full, Cause::QueueFull),
        Overflowed::Nobody => (&group.overflow.nobody, Cause::NobodyThere),
    };
    scene.tell(call, format!("overflows from {}", group.name), cause.name());
    plan::divert(call, steps, cause);
}

/// An agent has answered: out of the line, and counted.
pub(crate) fn served(call: &mut Call, waiting: &Waiting, scene: &mut Scene<'_>) {
    let waited = step_out(call, waiting, scene);
    let level = scene.tenant.config.groups.get(&waiting.group).map(|group| group.queue.service_level);
    let in_time = level.is_some_and(|level| waited <= u64::from(level.seconds) * 1000);
    scene.count(&waiting.group, |today| {
        today.answered += 1;
        today.answered_in_time += u64::from(in_time);
        today.wait_ms += waited;
    });
}

/// The caller is gone.
pub(crate) fn abandoned(call: &mut Call, waiting: &Waiting, scene: &mut Scene<'_>) {
    step_out(call, waiting, scene);
    scene.count(&waiting.group, |today| today.abandoned += 1);
}

fn step_out(call: &mut Call, waiting: &Waiting, scene: &mut Scene<'_>) -> u64 {
    let waited = waiting.since.until(scene.moment());
    call.wait_ms += waited;
    scene.queue_mut(&waiting.group).waiting.remove(&waiting.place);
    waited
}

/// The queue's patience is at its end, unless a phone still rings and may.
pub(crate) fn expire(call: &mut Call, scene: &mut Scene<'_>) {
    let Stage::Waiting(waiting) = &call.stage else { return };
    if waiting.deadline.is_none_or(|deadline| deadline > scene.now()) {
        return;
    }
    if !waiting.finish || call.offers.is_empty() {
        leave(call, Overflowed::Waited, scene);
    }
}

/// Out of the line, to where the group sends such callers.
pub(crate) fn leave(call: &mut Call, why: Overflowed, scene: &mut Scene<'_>) {
    let Stage::Waiting(waiting) = call.stage.clone() else { return };
    offer::withdraw_all(call, Cause::Withdrawn, scene);
    step_out(call, &waiting, scene);
    let config = scene.tenant.config.clone();
    match config.groups.get(&waiting.group) {
        Some(group) => overflow(call, group, why, scene),
        None => plan::divert(call, &[], Cause::WaitedTooLong),
    }
    plan::proceed(call, scene);
}

/// Nobody is rung for a caller who is away.
pub(crate) fn spare_agents(call: &mut Call, scene: &mut Scene<'_>) {
    if matches!(call.stage, Stage::Waiting(_)) && call.guest_is_away() && !call.offers.is_empty() {
        offer::withdraw_all(call, Cause::Withdrawn, scene);
        offer_failed(call, scene);
    }
}

/// A caller who waits may be served from now on.
pub(crate) fn look_again(call: &Call, scene: &mut Scene<'_>) {
    if let Stage::Waiting(waiting) = &call.stage {
        scene.dirty.insert(waiting.group.clone());
    }
}

/// An offer of a waiting call led nowhere: the caller keeps the place, and may be overdue by now.
pub(crate) fn offer_failed(call: &mut Call, scene: &mut Scene<'_>) {
    look_again(call, scene);
    expire(call, scene);
}
