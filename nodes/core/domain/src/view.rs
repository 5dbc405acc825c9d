//! The live picture, read from the state. Nothing here changes anything.

use mangrove_proto::{
    id::{EmployeeId, GroupId},
    live::{self, AgentState, CallState, MonitorMode},
};

use crate::{
    call::{
        Call, Pause,
        confer::{Conferring, Part},
        monitor::Mode,
        party::Party,
        stage::Stage,
    },
    effect::ObjectRef,
    tenant::Tenant,
};

/// One object's part of the picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// A call in progress.
    Call(live::Call),
    /// An employee.
    Agent(live::Agent),
    /// A group.
    Queue(live::Queue),
}

/// The whole picture of a tenant. `event`: the last event that it includes; `now`, `wall`: the instant it shows, by
/// the group's clock.
pub fn live(tenant: &Tenant, event: u64, now: u64, wall: u64) -> live::Live {
    let calls = tenant.calls().filter(|call| !call.is_over());
    live::Live {
        tenant: tenant.config().id.clone(),
        name: tenant.config().name.to_string(),
        event,
        as_of: wall,
        queues: tenant.config().groups.keys().filter_map(|group| queue(tenant, group, wall)).collect(),
        agents: tenant.agents().filter_map(|known| agent(tenant, &known.id, now, wall)).collect(),
        calls: calls.map(|shown| call(tenant, shown)).collect(),
        today: tenant.today(wall),
    }
}

/// One object. None: it is not in the picture (any more), as a call that is over.
pub fn object(tenant: &Tenant, object: &ObjectRef, now: u64, wall: u64) -> Option<Object> {
    match object {
        ObjectRef::Tenant(_) => None,
        ObjectRef::Call(_, id) => {
            let shown = tenant.call(*id).filter(|call| !call.is_over())?;
            Some(Object::Call(call(tenant, shown)))
        }
        ObjectRef::Agent(_, id) => agent(tenant, id, now, wall).map(Object::Agent),
        ObjectRef::Queue(_, id) => queue(tenant, id, wall).map(Object::Queue),
    }
}

/// A call.
pub fn call(tenant: &Tenant, call: &Call) -> live::Call {
    let are_shown = tenant.config().agents_see_listeners;
    let recording = call.recording.as_ref();
    let recording = recording.filter(|recording| recording.running && recording.message.is_none());
    let rung = call.offers.first().and_then(|offer| offer.employee.clone());
    live::Call {
        id: call.id,
        direction: call.direction,
        caller: call.caller.clone(),
        called: call.called.clone(),
        state: state(call),
        started: call.started.wall,
        since: call.since.wall,
        group: call.group.clone(),
        employee: call.employee.clone().or(rung),
        ringing: call.offers.iter().filter_map(|offer| offer.employee.clone()).collect(),
        recording: recording.is_some(),
        pause: recording.and_then(|recording| recording.pause).map(pause),
        on_demand: call.by_hand,
        monitors: call.parties.values().filter_map(|party| monitor(party, are_shown)).collect(),
        conference: call.conferring().filter(|one| one.is_there()).map(|one| seat(tenant, one)),
    }
}

fn seat(tenant: &Tenant, conferring: &Conferring) -> live::Seat {
    live::Seat {
        name: conferring.name.to_string(),
        since: conferring.since.wall,
        muted: conferring.muted,
        moderator: conferring.moderator,
        waits: conferring.part == Part::Waits,
        locked: tenant.conference(&conferring.name).is_some_and(|conference| conference.locked),
    }
}

fn pause(pause: Pause) -> live::Pause {
    if pause.confirmed { live::Pause::Confirmed } else { live::Pause::Asked }
}

/// A supervisor beside the talk. The employee is shown those whom they hear, and others where the company wishes it.
fn monitor(party: &Party, are_shown: bool) -> Option<live::Monitor> {
    let monitor = party.monitor.as_ref().filter(|_| party.is_alive())?;
    let (mode, is_heard) = match monitor.mode {
        Mode::Listen => (MonitorMode::Listen, false),
        Mode::Whisper => (MonitorMode::Whisper, true),
        Mode::Barge => (MonitorMode::Barge, true),
        Mode::TakeOver => (MonitorMode::TakeOver, false),
    };
    Some(live::Monitor {
        employee: party.employee.clone()?,
        mode,
        since: monitor.since.wall,
        answered: party.answered.is_some(),
        shown: are_shown || is_heard,
    })
}

fn state(call: &Call) -> CallState {
    match &call.stage {
        Stage::Arriving { .. } => CallState::Arriving,
        Stage::Playing { .. } | Stage::Echo { .. } => CallState::Playing,
        Stage::Leaving(_) => CallState::Voicemail,
        Stage::Conferring(conferring) if !conferring.is_there() => CallState::Playing,
        Stage::Conferring(_) => CallState::Talking,
        Stage::Waiting(_) => CallState::Waiting,
        Stage::Ringing { .. } | Stage::Transferring(_) => CallState::Ringing,
        Stage::Talking(_) if call.held_since.is_some() => CallState::Held,
        Stage::Talking(_) => CallState::Talking,
        Stage::Over(_) => CallState::Ending,
    }
}

/// An employee.
pub fn agent(tenant: &Tenant, id: &EmployeeId, now: u64, wall: u64) -> Option<live::Agent> {
    let agent = tenant.agent(id)?;
    let configured = tenant.config().employees.get(id)?;
    Some(live::Agent {
        id: id.clone(),
        name: configured.name.to_string(),
        extension: configured.extension.to_string(),
        state: agent.state(),
        reason: agent.reason().map(str::to_owned),
        since: agent.since.wall,
        until: agent.wrap_up.filter(|_| agent.state() == AgentState::WrapUp).map(|until| {
            // By the same instant's two clocks: the same end in every picture.
            agent.since.wall.saturating_add(until.saturating_sub(agent.since.now))
        }),
        call: agent.engaged.map(|engaged| engaged.call),
        groups: tenant.config().groups_of(id).map(|group| group.id.clone()).collect(),
        reachable: agent.is_reachable(tenant.now(now)),
        answered_today: agent.answered.on(tenant.config().timezone.day(wall)),
    })
}

/// A group's line.
pub fn queue(tenant: &Tenant, id: &GroupId, wall: u64) -> Option<live::Queue> {
    let group = tenant.config().groups.get(id)?;
    let queue = tenant.queue(id)?;
    let waiting = queue.waiting.values().filter_map(|call| tenant.call(*call)).filter_map(waiting);
    Some(live::Queue {
        id: id.clone(),
        name: group.name.to_string(),
        waiting: waiting.collect(),
        service_level: group.queue.service_level,
        today: queue.today.on(tenant.config().timezone.day(wall)),
    })
}

fn waiting(call: &Call) -> Option<live::Waiting> {
    let Stage::Waiting(waiting) = &call.stage else { return None };
    Some(live::Waiting {
        call: call.id,
        caller: call.caller.clone(),
        priority: waiting.place.priority,
        since: waiting.since.wall,
        offered_to: call.offers.iter().filter_map(|offer| offer.employee.clone()).collect(),
    })
}
