//! Attended transfer (RFC 5589 section 7): somebody in two calls at once, one of which they made beside the other, asks that
//! the two they talk with talk to each other. The REFER names the second dialog by Replaces. Both calls are ours, so no phone
//! is asked to call anybody: the second call's other party goes over into the first one, which is told another media address
//! by re-INVITE; who asked leaves both, and the second call ends as transferred.

use std::sync::Arc;

use mangrove_proto::{
    id::{EmployeeId, LegId},
    live::EndedBy,
};
use mangrove_sip::ua::Replaces;

use super::{
    Call, answer, end, fact,
    moved::Moved,
    party::Role,
    relay_offer,
    replace::{self, BAD_HEADER, NO_SUCH_DIALOG},
    stage::Stage,
    transfer::NOT_NOW,
};
use crate::{cause::Cause, line, rules::keeps_calls, scene::Scene};

/// Under rules that know no such transfers.
const NOT_OFFERED: u16 = 501;

/// Of two calls one person's part.
struct Part<'a> {
    call: &'a mut Call,
    leg: LegId,
}

/// One who talks in `call` asks that the other there talk with the other of the dialog that is `named`.
pub(super) fn asked(
    call: &mut Call,
    referrer: LegId,
    employee: &EmployeeId,
    named: &str,
    scene: &mut Scene<'_>,
) {
    let (mut other, leg) = match named_talk(call, employee, named, scene) {
        Ok(found) => found,
        Err(status) => return line::refuse_refer(call, referrer, status, scene),
    };
    line::accept_refer(call, referrer, 200, scene);
    let is_beside = scene.tenant.agent(employee).and_then(|agent| agent.consults) == Some(call.id);
    let (here, there) = (Part { call, leg: referrer }, Part { call: &mut other, leg });
    match is_beside {
        true => join(there, here, employee, scene),
        false => join(here, there, employee, scene),
    }
    scene.put_beside(other);
}

/// A copy of the call of the dialog that is named, with the leg there; or the status of the refusal.
fn named_talk(
    call: &Call,
    employee: &EmployeeId,
    named: &str,
    scene: &Scene<'_>,
) -> Result<(Call, LegId), u16> {
    if !keeps_calls(scene.state.rules()) {
        return Err(NOT_OFFERED);
    }
    let names = Replaces::parse(named).ok_or(BAD_HEADER)?;
    let own = replace::own(&names, employee, scene);
    let (other, party) =
        own.filter(|(other, _)| other.id != call.id && !other.is_over()).ok_or(NO_SUCH_DIALOG)?;
    match other.talkers() {
        Some((guest, peer)) if [guest, peer].contains(&party.id) => Ok((other.clone(), party.id)),
        _ => Err(NOT_NOW),
    }
}

/// Who talks with the one in `goes` talks from now on with the one who talks in `stays`; the person between them leaves.
fn join(stays: Part<'_>, goes: Part<'_>, employee: &EmployeeId, scene: &mut Scene<'_>) {
    let (Some(guest), Some(target)) = (stays.other(), goes.other()) else { return };
    let stages = (stays.call.stage.clone(), goes.call.stage.clone());
    let (Stage::Talking(talk), Stage::Talking(asked)) = stages else { return };
    let (Part { call, leg }, Part { call: other, .. }) = (stays, goes);
    scene.tell(call, format!("{employee} transfers after a word"), format!("in {}", other.id));
    scene.tell(other, format!("{employee} transfers"), format!("into {}", call.id));
    end::count_talk(call, scene);
    go_over(target, other, call, scene);
    end::end(other, Cause::Transferred, EndedBy::Caller, scene);
    fact::dismiss(call, leg, Cause::Transferred, scene);
    end::release_talker(call, leg, &talk, scene);
    call.guest = guest;
    // Whom a queue gave to the person has after-call work to come, as if they had not been handed on.
    let group = asked.group.filter(|_| asked.peer == target);
    answer::join(call, target, group, scene);
}

impl Part<'_> {
    /// Who they talk with.
    fn other(&self) -> Option<LegId> {
        let (guest, peer) = self.call.talkers()?;
        Some(if self.leg == guest { peer } else { guest })
    }
}

/// A party leaves one call for another, with what it was counted against. Its sound comes to another address from now on:
/// it is told once that is known.
fn go_over(leg: LegId, from: &mut Call, to: &mut Call, scene: &mut Scene<'_>) {
    relay_offer::part(from, leg, scene);
    let Some(mut moved) = from.parties.remove(&leg) else { return };
    let left = Moved::of(from, &moved, scene.moment());
    from.moved.push(left);
    let party = Arc::make_mut(&mut moved);
    party.role = Role::Transfer;
    party.told_at = None;
    party.forget_address();
    if let Some(arrival) = &party.arrival {
        scene.tenant.arrivals.insert(arrival.clone(), to.id);
    }
    if let Some(employee) = &party.employee {
        scene.with_agent(employee, |agent| agent.go_over(from.id, to.id));
        to.employee = Some(employee.clone());
    }
    scene.tenant.legs.insert(leg, to.id);
    to.parties.insert(leg, moved);
    to.channels.append(&mut from.channels);
    to.trunk = to.trunk.take().or_else(|| from.trunk.clone());
}
