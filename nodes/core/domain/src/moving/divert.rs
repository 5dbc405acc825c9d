//! Commands for a tenant on hold: reports are taken and kept, wishes refused for the moment.

use std::sync::Arc;

use mangrove_proto::id::TenantId;

use super::{Hold, Report, Standing};
use crate::{
    command::Command,
    effect::{Effects, Reply},
    state::State,
};

/// The command, if it may be carried out here and now.
pub(crate) fn divert(state: &mut State, command: Command, effects: &mut Effects) -> Result<Command, Reply> {
    if state.holds.is_empty() && state.arrivals.is_empty() {
        return Ok(command);
    }
    let Some(tenant) = subject(&command) else { return Ok(command) };
    // A configuration would make it anew, and its copy would come too late.
    if matches!(command, Command::ConfigureTenant { .. }) && state.arrivals.contains_key(&tenant) {
        return Err(Reply::Moving { tenant: tenant.to_string() });
    }
    let Some(hold) = state.hold(&tenant) else { return Ok(command) };
    match command {
        Command::EdgeReported { sender, event } => {
            let taken = state.take_event("edge", &sender, event.sequence);
            Err(taken
                .map_or_else(|seen| seen, |()| keep(state, &tenant, Report::Edge { sender, event }, effects)))
        }
        Command::MediaReported { sender, event } => {
            let taken = state.take_event("media", &sender, event.sequence);
            Err(taken.map_or_else(
                |seen| seen,
                |()| keep(state, &tenant, Report::Media { sender, event }, effects),
            ))
        }
        Command::ConfigureTenant { epoch, .. } if is_another(hold, epoch) => {
            state.holds.remove(&tenant);
            Ok(command)
        }
        _ if hold.is_home() => Ok(command),
        _ => Err(Reply::Moving { tenant: tenant.to_string() }),
    }
}

/// Whether a configuration is of a tenant that was made anew, of the same name as the one that is gone.
fn is_another(hold: &Hold, epoch: u64) -> bool {
    hold.standing == Standing::Gone && epoch > hold.epoch
}

fn keep(state: &mut State, tenant: &TenantId, report: Report, effects: &mut Effects) -> Reply {
    if let Some(hold) = state.holds.get_mut(tenant) {
        Arc::make_mut(hold).keep(report);
        effects.kept = true;
    }
    Reply::Done
}

/// Whom a command is about, where a hold matters to it.
fn subject(command: &Command) -> Option<TenantId> {
    match command {
        Command::EdgeReported { event, .. } => Some(event.tenant.as_str().into()),
        Command::MediaReported { event, .. } => Some(event.tenant.as_str().into()),
        Command::TimerDue { object } => Some(object.tenant().clone()),
        Command::ConfigureTenant { config, .. } => Some(config.id.clone()),
        Command::RemoveTenant { tenant, .. }
        | Command::SetPassword { tenant, .. }
        | Command::CommandAgent { tenant, .. }
        | Command::CommandCall { tenant, .. }
        | Command::CommandMessage { tenant, .. } => Some(tenant.clone()),
        _ => None,
    }
}
