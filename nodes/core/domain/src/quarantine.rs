//! What remains of a command on which the rules failed: its event counts as taken, so that it does not come again,
//! and its call is taken out without running any rule of it again.

use std::sync::Arc;

use mangrove_proto::{
    id::{CallId, EmployeeId, LegId, TenantId},
    live::EndedBy,
};

use crate::{
    broken,
    call::{
        record,
        stage::{End, Stage},
        voicemail,
    },
    cause::Cause,
    command::{Command, Sender, Ticket, report_handed_on},
    conference,
    effect::{Effects, ObjectRef},
    moving::Report,
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
};

/// Whom a command is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    event: Option<(&'static str, Sender, u64)>,
    /// Of an event that was handed on.
    ticket: Option<Ticket>,
    tenant: Option<TenantId>,
    leg: Option<LegId>,
    call: Option<CallId>,
}

impl Subject {
    /// The event that the command brought does not come again.
    pub(crate) fn mark_taken(&self, state: &mut State) {
        if let Some((kind, sender, sequence)) = &self.event {
            // Taken before, or of a gap: there is nothing to mark.
            let _ = state.take_event(kind, sender, *sequence);
        }
        if let (Some(ticket), Some(tenant)) = (self.ticket, &self.tenant) {
            // As above.
            let _ = report_handed_on::take(state, tenant, ticket);
        }
    }
}

pub(crate) fn subject(command: &Command) -> Subject {
    match command {
        Command::EdgeReported { sender, event } => Subject {
            event: Some(("edge", sender.clone(), event.sequence)),
            tenant: Some(event.tenant.as_str().into()),
            leg: event.leg.parse().ok(),
            ..Subject::default()
        },
        Command::MediaReported { sender, event } => Subject {
            event: Some(("media", sender.clone(), event.sequence)),
            tenant: Some(event.tenant.as_str().into()),
            call: event.session.parse().ok(),
            ..Subject::default()
        },
        Command::ReportHandedOn { tenant, ticket, report } => {
            let (leg, call) = match &**report {
                Report::Edge { event, .. } => (event.leg.parse().ok(), None),
                Report::Media { event, .. } => (None, event.session.parse().ok()),
            };
            Subject { event: None, ticket: Some(*ticket), tenant: Some(tenant.clone()), leg, call }
        }
        Command::TimerDue { object: ObjectRef::Call(tenant, call) } => {
            Subject { tenant: Some(tenant.clone()), call: Some(*call), ..Subject::default() }
        }
        Command::CommandCall { tenant, call, .. } => {
            Subject { tenant: Some(tenant.clone()), call: Some(*call), ..Subject::default() }
        }
        _ => Subject::default(),
    }
}

/// Takes the subject's call out.
pub(crate) fn take_out(state: &mut State, subject: Subject, stamp: Stamp, effects: &mut Effects) {
    broken::swallow_poison_in_quarantine();
    let Some(tenant) = subject.tenant else { return };
    scene::play(state, &tenant, stamp, effects, |scene| {
        let of_leg = subject.leg.and_then(|leg| scene.tenant.legs.get(&leg).copied());
        if let Some(call) = subject.call.or(of_leg) {
            end(call, scene);
        }
        // Queues are not looked at: the rules that failed may be those.
        scene.dirty.clear();
    });
}

/// Marks the call as ended, by hand: no dialog is asked for anything.
fn end(call: CallId, scene: &mut Scene<'_>) {
    let Some(mut call) = scene.tenant.call(call).cloned() else { return };
    let at = scene.moment();
    if call.is_over() {
        return;
    }
    if let Stage::Waiting(waiting) = &call.stage {
        scene.queue_mut(&waiting.group).waiting.remove(&waiting.place);
    }
    // What was said is kept.
    voicemail::close(&mut call, scene);
    call.offers.clear();
    let people: Vec<EmployeeId> = call.parties.values().filter_map(|party| party.employee.clone()).collect();
    for employee in people {
        scene.with_agent(&employee, |agent| agent.release(call.id, at.now));
    }
    for party in call.parties.values_mut().map(Arc::make_mut) {
        party.end(at, Cause::Quarantined);
    }
    scene.give_channels_back(&mut call);
    let (cause, by, status) = (Cause::Quarantined, EndedBy::System, Cause::Quarantined.status());
    call.move_to(Stage::Over(End { cause, status, by, at, record_due: None, forget: at.now }), at);
    record::write(&call, scene);
    scene.effects.touch(ObjectRef::Call(scene.tenant.config.id.clone(), call.id));
    conference::follow(&call, scene);
    scene.changed.insert(call.id);
    scene.tenant.calls.insert(call.id, Arc::new(call));
}
