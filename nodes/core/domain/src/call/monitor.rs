//! A supervisor beside a talk. They are rung by us at a phone of theirs, which is asked to answer by itself, and take part
//! as they wish: they *listen* and nobody hears them, *whisper* and the employee hears them, *barge in* and both do, or
//! *take over* and the employee leaves. What they may do is the console's to judge; here it is only seen that it can be done.
//!
//! | mode | the employee hears | the other hears | the supervisor hears |
//! |---|---|---|---|
//! | listen | the other | the employee | both |
//! | whisper | the other, the supervisor | the employee | both |
//! | barge | the other, the supervisor | the employee, the supervisor | both |
//!
//! They came for one employee's talk: when that employee leaves it, by a transfer or because another supervisor has taken
//! over, they leave too. Nobody else's dialog is touched before they take over: no re-INVITE, no tone.

use std::sync::Arc;

use mangrove_proto::id::{EmployeeId, LegId};
use serde::{Deserialize, Serialize};

use super::{
    Call, answer, devices, dial_out, end, fact,
    party::{Party, Role},
    stage::Stage,
};
use crate::{
    agent::Engagement, cause::Cause, config::Employee, effect::Reply, rules, scene::Scene, stamp::Moment,
};

/// How long the supervisor's phone may ring.
const RING_MS: u64 = 30_000;

/// What a supervisor wishes to do, or does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mode {
    /// Hear both.
    Listen,
    /// Be heard by the employee too.
    Whisper,
    /// Be heard by both.
    Barge,
    /// Talk on in the employee's place: done as soon as the supervisor is there.
    TakeOver,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Listen, Self::Whisper, Self::Barge, Self::TakeOver];

    /// As the API has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Whisper => "whisper",
            Self::Barge => "barge",
            Self::TakeOver => "take-over",
        }
    }
}

/// What makes a party a supervisor beside a talk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitor {
    /// What they do, or are to do once they are there.
    pub mode: Mode,
    /// The employee's leg.
    pub(crate) of: LegId,
    /// Since when in this mode.
    pub since: Moment,
}

/// Grants a wish; none is to stop. The answer is the mode before it, if there was one.
pub(crate) fn ask(
    call: &mut Call,
    supervisor: &EmployeeId,
    wish: Option<Mode>,
    scene: &mut Scene<'_>,
) -> Result<Option<Mode>, Reply> {
    if !rules::monitors(scene.state.rules()) {
        return refuse("not all nodes know supervision yet: upgrade them all first");
    }
    let present = alive(call).find(|party| party.employee.as_ref() == Some(supervisor));
    let present = present.and_then(|party| Some((party.id, party.monitor.as_ref()?.mode)));
    match (present, wish) {
        (None, None) => Err(Reply::NotFound { what: format!("supervision of {} by {supervisor}", call.id) }),
        (None, Some(mode)) => begin(call, supervisor, mode, scene).map(|()| None),
        (Some((leg, before)), None) => {
            dismiss(call, leg, Cause::HungUp, scene);
            Ok(Some(before))
        }
        (Some((leg, before)), Some(mode)) => {
            change(call, leg, mode, scene);
            Ok(Some(before))
        }
    }
}

fn refuse<T>(why: &str) -> Result<T, Reply> {
    Err(Reply::Refused { why: why.to_owned() })
}

fn begin(call: &mut Call, supervisor: &EmployeeId, mode: Mode, scene: &mut Scene<'_>) -> Result<(), Reply> {
    let Some(of) = supervised(call) else {
        return refuse("no employee talks in this call now: wait until somebody has answered");
    };
    let config = scene.tenant.config.clone();
    let employee = config.employees.get(supervisor).filter(|_| scene.tenant.agent(supervisor).is_some());
    let employee = employee.ok_or_else(|| Reply::NotFound { what: format!("employee {supervisor}") })?;
    if scene.tenant.agent(supervisor).is_some_and(|agent| agent.engaged.is_some()) {
        return refuse("you are in a call already: end it first");
    }
    let Some(phone) = phone(call, employee, scene) else {
        return refuse("none of your phones is registered: switch one on");
    };
    scene.tell(call, format!("{supervisor} comes to {}", mode.name()), "");
    let who = (Role::Monitor, &*employee.extension, Some(supervisor));
    let since = scene.moment();
    for leg in dial_out::plan_legs(call, vec![phone], who, scene) {
        if let Some(party) = call.party_mut(leg) {
            party.monitor = Some(Monitor { mode, of, since });
        }
    }
    let engagement = Engagement::own(call.id);
    scene.with_agent(supervisor, |agent| agent.engaged = Some(engagement));
    Ok(())
}

/// The leg of the employee who talks; of two, the one who was called.
pub(super) fn supervised(call: &Call) -> Option<LegId> {
    let (guest, peer) = call.talkers()?;
    let is_employee = |leg: &LegId| call.party(*leg).is_some_and(|party| party.employee.is_some());
    [peer, guest].into_iter().find(is_employee)
}

/// One phone alone, for it answers by itself: the first device's that is registered, in the order in which they ring.
fn phone(call: &Call, employee: &Employee, scene: &Scene<'_>) -> Option<dial_out::Phone> {
    let (device, _) = devices::first(employee, Role::Monitor, RING_MS, scene)?;
    dial_out::phones(call, employee, &device, scene).into_iter().next()
}

/// What asks a phone to answer by itself, in the two ways that most of them know; nothing for other parties.
pub(crate) fn headers(party: &Party, domain: &str) -> Vec<(String, String)> {
    if party.monitor.is_none() {
        return Vec::new();
    }
    let header = |name: &str, value: &str| (name.to_owned(), format!("<sip:{domain}>;{value}"));
    vec![header("Call-Info", "answer-after=0"), header("Alert-Info", "info=alert-autoanswer;delay=0")]
}

fn change(call: &mut Call, leg: LegId, mode: Mode, scene: &mut Scene<'_>) {
    let since = scene.moment();
    let Some(party) = call.party_mut(leg) else { return };
    let who = who(party);
    if let Some(monitor) = party.monitor.as_mut().filter(|monitor| monitor.mode != mode) {
        (monitor.mode, monitor.since) = (mode, since);
        scene.tell(call, format!("{who} changes to {}", mode.name()), "");
    }
}

fn who(party: &Party) -> String {
    party.employee.as_ref().map_or_else(|| party.name.clone(), EmployeeId::to_string)
}

/// Supervisors beside the talk, answered or not; a phone that is about to go on for another is none yet.
fn alive(call: &Call) -> impl Iterator<Item = &Party> {
    let parties = call.parties.values().map(Arc::as_ref);
    parties.filter(|party| party.is_alive() && party.monitor.is_some() && party.replaces.is_none())
}

/// Whether a party is a supervisor beside the talk.
pub(crate) fn is_beside(call: &Call, leg: LegId) -> bool {
    call.party(leg).is_some_and(|party| party.is_alive() && party.monitor.is_some())
}

/// Supervisors whom others may hear, with what they do and beside whom.
fn present(call: &Call) -> impl Iterator<Item = (LegId, &Monitor)> {
    let there = alive(call).filter(|party| party.answered.is_some() && !party.is_absent());
    there.filter_map(|party| Some((party.id, party.monitor.as_ref()?)))
}

/// The supervisors whom one of the two who talk hears.
pub(crate) fn heard_by(call: &Call, talker: LegId) -> Vec<LegId> {
    let is_heard = |monitor: &Monitor| match monitor.mode {
        Mode::Barge => true,
        Mode::Whisper => monitor.of == talker,
        Mode::Listen | Mode::TakeOver => false,
    };
    present(call).filter(|(_, monitor)| is_heard(monitor)).map(|(leg, _)| leg).collect()
}

/// The supervisors whom both hear, because they have barged in on this employee or on the other one.
pub(crate) fn barged(call: &Call, of: impl Fn(LegId) -> bool) -> Vec<LegId> {
    let is_barged = |monitor: &Monitor| monitor.mode == Mode::Barge && of(monitor.of);
    present(call).filter(|(_, monitor)| is_barged(monitor)).map(|(leg, _)| leg).collect()
}

/// A supervisor's phone was picked up, or did it by itself.
pub(super) fn answered(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let moment = scene.moment();
    let Some(party) = call.party_mut(leg) else { return };
    party.answered = Some(moment);
    let who = who(party);
    scene.tell(call, format!("{who} is there"), "");
}

/// A supervisor's phone has hung up, or failed.
pub(super) fn left(call: &Call, leg: LegId, scene: &mut Scene<'_>) {
    // Who was only about to go on by another phone is still there with theirs.
    let Some(party) = call.party(leg).filter(|party| party.replaces.is_none()) else { return };
    scene.tell(call, format!("{} has left", who(party)), "");
    answer::release(call, party.employee.as_ref(), None, scene);
}

fn dismiss(call: &mut Call, leg: LegId, cause: Cause, scene: &mut Scene<'_>) {
    fact::dismiss(call, leg, cause, scene);
    left(call, leg, scene);
}

/// Keeps supervisors in step with the talk that they came for: who is to take over does, once they are there and not away,
/// for the employee would leave the customer to nobody; and who has nothing to hear any more leaves.
pub(crate) fn follow(call: &mut Call, scene: &mut Scene<'_>) {
    for (leg, monitor) in present_or_coming(call) {
        let is_there = call.party(leg).is_some_and(|party| party.answered.is_some() && party.away.is_none());
        if monitor.mode == Mode::TakeOver && is_there && goes_on(call, monitor.of) {
            take_over(call, leg, monitor.of, scene);
        }
    }
    for (leg, monitor) in present_or_coming(call) {
        if !goes_on(call, monitor.of) {
            dismiss(call, leg, Cause::Withdrawn, scene);
        }
    }
}

/// The media node can't have them beside the talk: they leave, and the two who talk stay.
pub(super) fn give_up(call: &mut Call, scene: &mut Scene<'_>) {
    for (leg, _) in present_or_coming(call) {
        dismiss(call, leg, Cause::NoMedia, scene);
    }
}

fn present_or_coming(call: &Call) -> Vec<(LegId, Monitor)> {
    alive(call).filter_map(|party| Some((party.id, party.monitor.clone()?))).collect()
}

/// Whether the employee still talks, or waits for how their transfer goes.
fn goes_on(call: &Call, of: LegId) -> bool {
    let talks = match &call.stage {
        Stage::Talking(talk) => [call.guest, talk.peer].contains(&of),
        Stage::Transferring(transfer) => [transfer.guest, transfer.talk.peer].contains(&of),
        _ => false,
    };
    talks && call.party(of).is_some_and(Party::is_alive)
}

/// The supervisor talks on in the employee's place.
fn take_over(call: &mut Call, leg: LegId, of: LegId, scene: &mut Scene<'_>) {
    let Stage::Talking(talk) = call.stage.clone() else { return };
    let customer = if of == call.guest { talk.peer } else { call.guest };
    end::count_talk(call, scene);
    fact::dismiss(call, of, Cause::TakenOver, scene);
    end::release_talker(call, of, &talk, scene);
    let Some(party) = call.party_mut(leg) else { return };
    (party.monitor, party.role) = (None, Role::Transfer);
    let (who, employee) = (who(party), party.employee.clone());
    scene.tell(call, format!("{who} takes over"), "");
    call.employee = employee.or(call.employee.take());
    call.guest = customer;
    answer::join(call, leg, None, scene);
}

/// Until when a supervisor's phone may ring.
pub(crate) fn due(party: &Party) -> Option<u64> {
    let rings = party.is_alive() && party.monitor.is_some() && party.answered.is_none();
    rings.then(|| party.started.now.saturating_add(RING_MS))
}

/// Those whose phones have rung for long enough do not come.
pub(super) fn expire(call: &mut Call, scene: &mut Scene<'_>) {
    let now = scene.now();
    let over = alive(call).filter(|party| due(party).is_some_and(|due| due <= now));
    for leg in over.map(|party| party.id).collect::<Vec<LegId>>() {
        dismiss(call, leg, Cause::NoAnswer, scene);
    }
}

/// Another phone of the employee's has taken the place of the one that was supervised.
pub(super) fn rename(call: &mut Call, old: LegId, new: LegId) {
    for party in call.parties.values_mut() {
        if party.monitor.as_ref().is_some_and(|monitor| monitor.of == old)
            && let Some(monitor) = &mut Arc::make_mut(party).monitor
        {
            monitor.of = new;
        }
    }
}
