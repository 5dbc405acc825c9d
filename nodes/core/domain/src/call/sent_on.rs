//! A blind transfer that somebody wishes for beside the phone, in a page: what a REFER of the phone of the employee who talks
//! would do ([`super::transfer`]), whatever phone that is. No phone has asked, so none is told how it goes: the live picture
//! shows it.

use mangrove_proto::id::{EmployeeId, LegId};

use super::{
    Call, monitor,
    stage::{Stage, Talk},
    transfer,
};
use crate::{
    cause::Cause,
    dial::{self, Dialled},
    effect::Reply,
    rules,
    scene::Scene,
};

/// Whose talk it was, and where the other one goes: as the audit log has them.
#[derive(Debug)]
pub(crate) struct SentOn {
    pub(crate) from: String,
    pub(crate) to: String,
}

/// Sends on whom `by` talks with; where that is nobody who talks here, whom the employee does whom supervisors come for.
pub(crate) fn grant(
    call: &mut Call,
    by: Option<&EmployeeId>,
    to: &str,
    scene: &mut Scene<'_>,
) -> Result<SentOn, Reply> {
    if !rules::transfers_by_wish(scene.state.rules()) {
        return Err(refused("not all nodes know transfers by wish yet: upgrade them all first"));
    }
    let talk = talk(call)?;
    let (leg, employee) = who(call, by).ok_or_else(|| refused("no employee talks in this call now"))?;
    let dialled = dial::read(&scene.tenant.config, to);
    let nobody = "nobody has the number: take an extension, or a phone number of five digits or more";
    let dialled = dialled.ok_or_else(|| refused(nobody))?;
    let sent = SentOn { from: format!("employee/{employee}"), to: object(&dialled) };
    transfer::begin(call, leg, &talk, &employee, dialled, scene).map_err(not_there)?;
    Ok(sent)
}

fn talk(call: &Call) -> Result<Talk, Reply> {
    match &call.stage {
        Stage::Talking(talk) => Ok(talk.clone()),
        Stage::Transferring(_) => {
            Err(refused("a transfer of this call is under way: wait until it is settled"))
        }
        _ => Err(refused("nobody talks in this call now")),
    }
}

/// The leg of the employee for whom it is done.
fn who(call: &Call, by: Option<&EmployeeId>) -> Option<(LegId, EmployeeId)> {
    let (guest, peer) = call.talkers()?;
    let is_theirs = |leg: &LegId| call.party(*leg).is_some_and(|party| party.employee.as_ref() == by);
    let own = by.and_then(|_| [guest, peer].into_iter().find(is_theirs));
    let leg = own.or_else(|| monitor::supervised(call))?;
    Some((leg, call.party(leg)?.employee.clone()?))
}

fn refused(why: &str) -> Reply {
    Reply::Refused { why: why.to_owned() }
}

/// The two talk on.
fn not_there(cause: Cause) -> Reply {
    let why = match cause {
        Cause::Busy => "whoever it is to go to is in a call",
        Cause::Unreachable => "whoever it is to go to has no phone that is registered",
        Cause::NoRoute => "no trunk leads there",
        Cause::TrunkFull => "all channels of the trunk are taken",
        Cause::Forbidden => "this employee may not call there",
        other => other.name(),
    };
    Reply::Refused { why: format!("the call can't go there now: {why}") }
}

/// As other audits name objects. Of an outside number the call's record tells.
fn object(dialled: &Dialled) -> String {
    match dialled {
        Dialled::Employee(id) => format!("employee/{id}"),
        Dialled::Group(id) => format!("group/{id}"),
        Dialled::Conference(name) => format!("conference/{name}"),
        Dialled::Number(number) => format!("number/{number}"),
        Dialled::Outside(_) => "outside".into(),
    }
}
