//! An INVITE with Replaces (RFC 3891): somebody goes on in a call of theirs by another phone, or by a page that was loaded
//! anew. The new leg joins the call, and once its media address is known it takes the old one's place, whatever that was
//! doing: its part in the talk, its place in line, its channel of the recording. The old one is hung up.
//!
//! | the dialog named | answer |
//! |---|---|
//! | is none of the sender's own, or there is none | 481, in the same words |
//! | rings at a phone of theirs | the call is answered by the new one |
//! | is a call of theirs that nobody answered yet | 481: they began it (section 3) |
//! | has ended | 603 |
//! | is answered, and the INVITE is `early-only` | 486 |

use std::sync::Arc;

use mangrove_proto::id::{CallId, EmployeeId, LegId};
use mangrove_sip::ua::Replaces;

use super::{Call, answer, enqueue, fact, hold, incoming::Incoming, monitor, party::Party, stage::Stage};
use crate::{cause::Cause, effect::Reply, ingress, line, scene::Scene};

/// The header is broken, or stands twice.
pub(super) const BAD_HEADER: u16 = 400;
/// There is no such dialog, as far as the sender may know.
pub(super) const NO_SUCH_DIALOG: u16 = 481;
/// It is answered, and only a ringing one was to be replaced.
const ANSWERED: u16 = 486;
/// Another INVITE is about to take its place.
const NOT_NOW: u16 = 491;
/// It has ended.
const DECLINED: u16 = 603;

/// How long a leg waits for its media address. A node that is there gives one at once; callers give up not much later.
const PLACE_MS: u64 = 10_000;

/// An INVITE with Replaces.
pub(crate) fn arrive(incoming: &Incoming<'_>, scene: &mut Scene<'_>) -> Reply {
    let status = match find(incoming, scene) {
        Ok(place) => match begin(incoming, place, scene) {
            Ok(()) => return Reply::Done,
            Err(status) => status,
        },
        Err(status) => {
            line::turn_down(incoming.invite, status, incoming.source, incoming.edge, scene);
            status
        }
    };
    Reply::Refused { why: format!("the INVITE takes no dialog's place: {status}") }
}

/// The leg to replace and its call, or the status of the refusal.
fn find(incoming: &Incoming<'_>, scene: &Scene<'_>) -> Result<(CallId, LegId), u16> {
    let mut values = incoming.invite.headers("Replaces");
    let names = values.next().and_then(Replaces::parse).filter(|_| values.next().is_none());
    let names = names.ok_or(BAD_HEADER)?;
    let employee = ingress::employee(incoming.ingress, &scene.tenant.config);
    let own = employee.and_then(|employee| own(&names, &employee.id, scene));
    let (call, party) = own.ok_or(NO_SUCH_DIALOG)?;
    check(call, party, names.early_only)?;
    Ok((call.id, party.id))
}

/// The dialog of these names, if it is the employee's own. Whoever has none of this name can't tell whether others have.
pub(super) fn own<'a>(
    names: &Replaces,
    employee: &EmployeeId,
    scene: &'a Scene<'_>,
) -> Option<(&'a Call, &'a Party)> {
    let leg = leg_of(&names.to_tag)?;
    let call = scene.tenant.call(*scene.tenant.legs.get(&leg)?)?;
    let party = call.party(leg)?;
    let is_own = party.employee.as_ref() == Some(employee) && party.line.is_named_by(names);
    is_own.then_some((call, party))
}

/// Our tags are `<tenant>.<leg>-<token>`.
fn leg_of(tag: &str) -> Option<LegId> {
    let (address, _) = tag.rsplit_once('-')?;
    address.rsplit_once('.')?.1.parse().ok()
}

/// Whether a party's place can be taken now (RFC 3891 section 3).
fn check(call: &Call, party: &Party, early_only: bool) -> Result<(), u16> {
    let is_taken = party.replaces.is_some() || successor(call, party.id).is_some();
    match party.answered {
        _ if call.is_over() || !party.is_alive() => Err(DECLINED),
        _ if is_taken => Err(NOT_NOW),
        Some(_) if early_only => Err(ANSWERED),
        Some(_) => Ok(()),
        None if call.offer_of(party.id).is_some() => Ok(()),
        None => Err(NO_SUCH_DIALOG),
    }
}

/// The leg that is about to take this one's place.
fn successor(call: &Call, leg: LegId) -> Option<LegId> {
    let mut parties = call.parties.values();
    parties.find(|party| party.is_alive() && party.replaces == Some(leg)).map(|party| party.id)
}

/// Takes the new leg into the call, where it waits for its media address; or the status by which it was refused.
fn begin(incoming: &Incoming<'_>, (id, old): (CallId, LegId), scene: &mut Scene<'_>) -> Result<(), u16> {
    let leg = LegId(scene.draw());
    let (line, outputs) = incoming.begin(leg, true, scene)?;
    scene.with_call(id, |call, scene| {
        let Some(replaced) = call.party(old) else { return };
        let (role, name, employee) = (replaced.role, replaced.name.clone(), replaced.employee.clone());
        let who = employee.as_ref().map(EmployeeId::to_string).unwrap_or_default();
        let mut party = Party::new(leg, role, name, employee, line, scene.moment());
        (party.arrival, party.replaces) = (Some(incoming.key.clone()), Some(old));
        party.monitor = replaced.monitor.clone();
        call.parties.insert(leg, Arc::new(party));
        incoming.enter(call, leg, outputs, scene);
        scene.tell(call, format!("{who} goes on by another phone"), "");
    });
    Ok(())
}

/// Lets those take their places whose media address is known by now.
pub(super) fn complete(call: &mut Call, scene: &mut Scene<'_>) {
    let ready = call.parties.values().filter(|party| party.is_alive() && party.address.is_some());
    let ready: Vec<(LegId, LegId)> = ready.filter_map(|party| Some((party.replaces?, party.id))).collect();
    for (old, new) in ready {
        take_place(call, old, new, scene);
    }
}

fn take_place(call: &mut Call, old: LegId, new: LegId, scene: &mut Scene<'_>) {
    line::answer(call, new, scene);
    if let Some(party) = call.party_mut(new) {
        party.replaces = None;
    }
    if let Some(index) = call.offer_of(old) {
        let legs = &mut call.offers[index].legs;
        legs.iter_mut().filter(|leg| **leg == old).for_each(|leg| *leg = new);
        fact::dismiss(call, old, Cause::Replaced, scene);
        return answer::answered(call, new, scene);
    }
    rename(call, old, new);
    enqueue::look_again(call, scene);
    call.expects_sound_since = scene.now();
    fact::dismiss(call, old, Cause::Replaced, scene);
    hold::note(call, scene);
}

/// The new leg is what the old one was.
fn rename(call: &mut Call, old: LegId, new: LegId) {
    let rename = |leg: &mut LegId| {
        if *leg == old {
            *leg = new;
        }
    };
    rename(&mut call.guest);
    match &mut call.stage {
        Stage::Talking(talk) => rename(&mut talk.peer),
        Stage::Transferring(transfer) => {
            rename(&mut transfer.referrer);
            rename(&mut transfer.guest);
            rename(&mut transfer.talk.peer);
        }
        _ => {}
    }
    if let Some(recording) = &mut call.recording {
        rename(&mut recording.left);
        recording.right.iter_mut().for_each(rename);
    }
    monitor::rename(call, old, new);
    let is = call.party(old).map(|party| (party.role, party.monitor.clone()));
    if let (Some(is), Some(party)) = (is, call.party_mut(new)) {
        (party.role, party.monitor) = is;
    }
}

/// A leg has ended: whoever was about to take its place can't any more.
pub(super) fn orphan(call: &mut Call, old: LegId, scene: &mut Scene<'_>) {
    if let Some(new) = successor(call, old) {
        give_up(call, new, Cause::Withdrawn, scene);
    }
}

/// Whether it is about to take another leg's place.
pub(crate) fn waits(party: &Party) -> bool {
    party.is_alive() && party.replaces.is_some()
}

/// Until when a leg waits for its media address.
pub(super) fn due(party: &Party) -> Option<u64> {
    waits(party).then(|| party.started.now.saturating_add(PLACE_MS))
}

/// Those who have waited for long enough get no place: whom they were to replace talks on.
pub(super) fn expire(call: &mut Call, scene: &mut Scene<'_>) {
    let now = scene.now();
    give_up_those(call, |party| due(party).is_some_and(|due| due <= now), Cause::NoMedia, scene);
}

/// Whose connection is gone while they wait get no place: nobody would be there.
pub(super) fn flow_closed(call: &mut Call, flow: &str, scene: &mut Scene<'_>) {
    give_up_those(call, |party| party.line.hangs_on(flow), Cause::FarEndGone, scene);
}

fn give_up_those(call: &mut Call, which: impl Fn(&Party) -> bool, cause: Cause, scene: &mut Scene<'_>) {
    let waiting = call.parties.values().filter(|party| waits(party) && which(party));
    for leg in waiting.map(|party| party.id).collect::<Vec<LegId>>() {
        give_up(call, leg, cause, scene);
    }
}

/// A leg that waits for its place is refused.
pub(crate) fn give_up(call: &mut Call, leg: LegId, cause: Cause, scene: &mut Scene<'_>) {
    let moment = scene.moment();
    if let Some(party) = call.party_mut(leg) {
        party.end(moment, cause);
    }
    let status = if cause == Cause::NoMedia { cause.status() } else { DECLINED };
    line::reject(call, leg, cause, Some(status), scene);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_tags_name_their_legs() {
        let leg = LegId(7);
        for tenant in ["acme", "acme.north", "acme-1"] {
            assert_eq!(leg_of(&format!("{tenant}.{leg}-00ff")), Some(leg), "{tenant}");
        }
        for tag in ["", "-", ".-", "leg_1", "acme.leg_1-1", &format!("acme.{leg}")] {
            assert_eq!(leg_of(tag), None, "{tag}");
        }
    }
}
