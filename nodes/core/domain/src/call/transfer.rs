//! Transfer (RFC 3515): one of two who talk sends the other to somebody else. Blindly, the other waits with music while
//! the target rings; who transferred is told how it goes, leaves on success, and talks on if it fails. After a word with the
//! target it is [`attended`]; from a page, [`super::sent_on`].

use mangrove_proto::{
    id::{EmployeeId, LegId},
    live::EndedBy,
};
use mangrove_sip::Uri;

use super::{
    Call, answer, attended, dial_out, end, fact, monitor,
    party::Role,
    plan::Plan,
    stage::{Stage, Talk, Transfer},
};
use crate::{
    cause::Cause,
    config::Step,
    dial::{self, Dialled},
    line,
    scene::Scene,
};

/// SIP status that refuses a transfer out of place.
pub(super) const NOT_NOW: u16 = 491;

/// A party asks to transfer its counterpart. Only employees may, for it is they who answer for the new leg.
pub(crate) fn asked(
    call: &mut Call,
    leg: LegId,
    target: &Uri,
    replaces: Option<&str>,
    scene: &mut Scene<'_>,
) {
    let Stage::Talking(talk) = call.stage.clone() else {
        return line::refuse_refer(call, leg, NOT_NOW, scene);
    };
    let employee = call.party(leg).and_then(|party| party.employee.clone());
    // Who stands beside the talk has nobody to send away.
    let Some(employee) = employee.filter(|_| !monitor::is_beside(call, leg)) else {
        return line::refuse_refer(call, leg, Cause::Forbidden.status(), scene);
    };
    if let Some(named) = replaces {
        return attended::asked(call, leg, &employee, named, scene);
    }
    let wanted = target.user().map(|user| user.into_owned());
    let dialled = wanted.and_then(|user| dial::read(&scene.tenant.config, &user));
    match dialled {
        None => line::refuse_refer(call, leg, Cause::NotFound.status(), scene),
        Some(dialled) => {
            line::accept_refer(call, leg, 100, scene);
            // How it goes is told by NOTIFY.
            let _ = begin(call, leg, &talk, &employee, dialled, scene);
        }
    }
}

/// The talk of `referrer`, who is `employee`, goes on with another. The cause says why nobody was rung: the two talk on then.
pub(super) fn begin(
    call: &mut Call,
    referrer: LegId,
    talk: &Talk,
    employee: &EmployeeId,
    dialled: Dialled,
    scene: &mut Scene<'_>,
) -> Result<(), Cause> {
    scene.tell(call, format!("{employee} transfers"), "");
    end::count_talk(call, scene);
    let stays = if call.guest == referrer { talk.peer } else { call.guest };
    let transfer = Transfer { referrer, guest: call.guest, talk: talk.clone() };
    call.guest = stays;
    call.move_to(Stage::Transferring(transfer), scene.moment());
    super::hold::note(call, scene);
    let rung = match dialled {
        Dialled::Employee(target) => dial_out::ring_employee(call, &target, Role::Transfer, scene),
        Dialled::Outside(number) => dial_out::outside(call, Some(employee), &number, Role::Transfer, scene),
        Dialled::Group(id) => {
            hand_over(call, &[Step::Group { id, priority: None }], scene);
            return Ok(());
        }
        Dialled::Conference(name) => {
            hand_over(call, &[Step::Conference { name }], scene);
            return Ok(());
        }
        Dialled::Number(number) => match scheme(&number, scene) {
            Some(steps) => {
                hand_over(call, &steps, scene);
                return Ok(());
            }
            None => Err(Cause::NotFound),
        },
    };
    if let Err(cause) = rung {
        failed(call, cause, scene);
    }
    rung
}

fn scheme(number: &str, scene: &Scene<'_>) -> Option<Vec<Step>> {
    let config = &scene.tenant.config;
    let number = config.numbers.get(number)?;
    Some(config.schemes.get(&number.scheme)?.steps.clone())
}

/// The target is a queue, a conference or a scheme, which always answers: the transfer has succeeded.
fn hand_over(call: &mut Call, steps: &[Step], scene: &mut Scene<'_>) {
    let Stage::Transferring(transfer) = call.stage.clone() else { return };
    settled(call, &transfer, scene);
    call.plan = Plan::steps(steps);
    super::plan::proceed(call, scene);
}

/// The target answered: who transferred is told, and leaves.
pub(crate) fn settled(call: &mut Call, transfer: &Transfer, scene: &mut Scene<'_>) {
    let referrer = transfer.referrer;
    line::notify_refer(call, referrer, 200, scene);
    fact::dismiss(call, referrer, Cause::Transferred, scene);
    end::release_talker(call, referrer, &transfer.talk, scene);
}

/// The target did not answer: the two talk on, or the one who is left is let go.
pub(crate) fn failed(call: &mut Call, cause: Cause, scene: &mut Scene<'_>) {
    let Stage::Transferring(Transfer { referrer, guest, talk }) = call.stage.clone() else { return };
    if !call.party(referrer).is_some_and(|party| party.is_alive()) {
        return end::end(call, cause, EndedBy::System, scene);
    }
    line::notify_refer(call, referrer, cause.status(), scene);
    call.guest = guest;
    answer::join(call, talk.peer, talk.group, scene);
}

/// Who transferred hung up without waiting for the outcome. The target rings on.
pub(crate) fn referrer_left(call: &mut Call, scene: &mut Scene<'_>) {
    let Stage::Transferring(transfer) = &call.stage else { return };
    end::release_talker(call, transfer.referrer, &transfer.talk, scene);
}
