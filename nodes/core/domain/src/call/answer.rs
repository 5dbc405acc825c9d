//! Somebody answered: the first in the log's order wins, everybody else stops ringing, two people talk.

use mangrove_proto::id::{EmployeeId, LegId};

use super::{
    Call, Offer, fact, monitor, offer, recording, replace,
    stage::{Stage, Talk},
    transfer,
};
use crate::{cause::Cause, line, scene::Scene};

/// A leg that we rang has answered.
pub(crate) fn answered(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    if monitor::is_beside(call, leg) {
        return monitor::answered(call, leg, scene);
    }
    let Some(index) = call.offer_of(leg) else {
        return fact::dismiss(call, leg, Cause::AnsweredElsewhere, scene);
    };
    let winner = call.offers.remove(index);
    // It picked up by itself: another phone of theirs was to answer the call for it.
    replace::orphan(call, leg, scene);
    let moment = scene.moment();
    if let Some(party) = call.party_mut(leg) {
        party.answered = Some(moment);
    }
    for other in winner.legs.iter().filter(|other| **other != leg) {
        fact::dismiss(call, *other, Cause::AnsweredElsewhere, scene);
    }
    offer::withdraw_all(call, Cause::AnsweredElsewhere, scene);
    take(call, winner.employee.as_ref(), scene);
    note_trunk(call, &winner);
    let who = winner.employee.as_ref().map_or("the called number", |employee| employee.as_str());
    scene.tell(call, format!("{who} answered"), format!("after {} ms", winner.since.until(moment)));
    connect(call, leg, scene);
}

/// The person who answered is now in the call.
fn take(call: &mut Call, employee: Option<&EmployeeId>, scene: &mut Scene<'_>) {
    let Some(employee) = employee else { return };
    let day = scene.day();
    call.employee = Some(employee.clone());
    scene.with_agent(employee, |agent| {
        agent.misses = 0;
        agent.wrap_up = None;
        *agent.answered.on_mut(day) += 1;
        if let Some(engaged) = agent.engaged.as_mut() {
            engaged.ringing = false;
        }
    });
}

/// A call that was sent outside is one with the outside from now on: recorded as such, and its record says by whom.
fn note_trunk(call: &mut Call, winner: &Offer) {
    let trunk = winner.channel.as_deref().and_then(|channel| channel.strip_prefix("trunk/"));
    if call.trunk.is_none() {
        call.trunk = trunk.map(str::to_owned);
    }
}

fn connect(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let mut group = None;
    match call.stage.clone() {
        Stage::Waiting(waiting) => {
            group = Some(waiting.group.clone());
            super::enqueue::served(call, &waiting, scene);
        }
        Stage::Transferring(transfer) => {
            transfer::settled(call, &transfer, scene);
        }
        _ => line::answer(call, call.guest, scene),
    }
    join(call, leg, group, scene);
}

/// The guest and `peer` talk from now on.
pub(crate) fn join(
    call: &mut Call,
    peer: LegId,
    group: Option<mangrove_proto::id::GroupId>,
    scene: &mut Scene<'_>,
) {
    let moment = scene.moment();
    call.answered.get_or_insert(moment);
    call.expects_sound_since = moment.now;
    call.move_to(Stage::Talking(Talk { peer, since: moment, group }), moment);
    recording::follow(call, peer, scene);
    super::hold::note(call, scene);
}

/// The call lets go of a person, after-call work being due or not.
pub(crate) fn release(
    call: &Call,
    employee: Option<&EmployeeId>,
    wrap_up_ms: Option<u64>,
    scene: &mut Scene<'_>,
) {
    let Some(employee) = employee else { return };
    let now = scene.now();
    if !scene.tenant.agent(employee).is_some_and(|agent| agent.has(call.id)) {
        return;
    }
    scene.with_agent(employee, |agent| {
        agent.release(call.id, now);
        if let Some(work) = wrap_up_ms.filter(|work| *work > 0) {
            agent.wrap_up = Some(now.saturating_add(work));
        }
    });
}
