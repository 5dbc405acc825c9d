//! I1: a call connects its guest with one other party at most, and with supervisors while it does. Answered parties beside
//! those would hear, or be charged for, a call that is not theirs.

use super::Violation;
use crate::{
    call::{Call, monitor::is_beside, stage::Stage},
    tenant::Tenant,
};

pub(super) fn check(tenant: &Tenant, found: &mut Vec<Violation>) {
    for call in tenant.calls() {
        let connected = call.parties.values().filter(|party| party.is_alive() && party.answered.is_some());
        let is_talk = matches!(call.stage, Stage::Talking(_) | Stage::Transferring(_));
        let connected = connected.filter(|party| !is_talk || party.monitor.is_none());
        let connected: Vec<_> = connected.map(|party| party.id).filter(|leg| *leg != call.guest).collect();
        let allowed = match &call.stage {
            Stage::Talking(talk) => vec![talk.peer],
            Stage::Transferring(transfer) => vec![transfer.referrer],
            _ => Vec::new(),
        };
        if connected.iter().any(|leg| !allowed.contains(leg)) {
            let what =
                format!("{} {}: {connected:?} connected, {allowed:?} allowed", call.id, call.stage.name());
            found.push(Violation::new("I1", what));
        }
        if call.talkers().is_some_and(|(guest, peer)| [guest, peer].iter().any(|leg| is_beside(call, *leg))) {
            found.push(Violation::new("I1", format!("{}: a supervisor talks beside themselves", call.id)));
        }
        if !talkers_are_up(call) {
            found.push(Violation::new("I1", format!("{}: somebody talks who is not there", call.id)));
        }
    }
}

fn talkers_are_up(call: &Call) -> bool {
    let up = |leg| call.party(leg).is_some_and(|party| party.is_alive());
    call.talkers().is_none_or(|(guest, peer)| guest != peer && up(guest) && up(peer))
}
