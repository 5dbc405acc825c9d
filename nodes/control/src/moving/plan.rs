//! What a group's leader has to do for tenants that come, go or are gone. Pure: read from the directory and the group's
//! state alone, so that any leader finds the same.

use mangrove_domain::{Command, Hold, Report, Standing, State};
use mangrove_membership::{self as membership, Directory, Move, Stage};
use mangrove_proto::id::TenantId;
use std::sync::Arc;

/// Reports handed on at once.
const REPORTS: usize = 256;
/// The largest copy that goes through a log: its entry must fit into a message between nodes.
const LARGEST: usize = 32 << 20;

/// Something to be committed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order {
    Group(u32, Command),
    Directory(membership::Command),
}

/// What a tenant needs now. Its orders are obeyed one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Task {
    /// It is frozen meanwhile, and stays if this can't be done.
    Carry { tenant: TenantId, epoch: u64, orders: Vec<Order> },
    /// To be done, however long it takes.
    Settle { tenant: TenantId, epoch: u64, orders: Vec<Order> },
    /// Its home is to hear these.
    HandOn { tenant: TenantId, epoch: u64, to: u32, series: u64, reports: Vec<(u64, Arc<Report>)> },
}

impl Task {
    /// Whose move it belongs to.
    pub(super) fn key(&self) -> (TenantId, u64) {
        match self {
            Self::Carry { tenant, epoch, .. }
            | Self::Settle { tenant, epoch, .. }
            | Self::HandOn { tenant, epoch, .. } => (tenant.clone(), *epoch),
        }
    }
}

/// All tasks of a group's leader.
pub(super) fn tasks(group: u32, directory: &Directory, state: &State) -> Vec<Task> {
    let under_way = directory.moves.iter().filter(|(_, going)| going.from == group && going.is_under_way());
    let moves = under_way.filter_map(|(tenant, going)| of_move(group, tenant, going, state));
    let holds = state.holds().filter_map(|(tenant, hold)| of_hold(group, tenant, hold, directory));
    let arrivals = state.arrivals().filter(|(tenant, epoch)| !is_awaited(tenant, *epoch, directory));
    let discard = |(tenant, epoch): (&TenantId, u64)| {
        let discard = Command::DiscardArrival { tenant: tenant.clone(), epoch };
        Task::Settle { tenant: tenant.clone(), epoch, orders: vec![Order::Group(group, discard)] }
    };
    moves.chain(holds).chain(arrivals.map(discard)).collect()
}

fn of_move(group: u32, tenant: &str, going: &Move, state: &State) -> Option<Task> {
    let (id, epoch, to) = (TenantId::from(tenant), going.epoch, going.to);
    let hold = state.hold(&id).filter(|hold| hold.epoch() == epoch);
    let orders = match &going.stage {
        Stage::Going => return Some(carry(group, id, going, hold, state)),
        Stage::Flipped => match hold {
            Some(hold) if hold.standing() == Standing::Leaving => vec![
                Order::Group(to, Command::AdmitTenant { tenant: id.clone(), epoch }),
                Order::Group(group, Command::LetGoTenant { tenant: id.clone(), epoch }),
            ],
            // What came here first is to be heard first.
            Some(hold) if hold.reports().next().is_some() => return None,
            _ => vec![
                Order::Group(to, Command::SettleTenant { tenant: id.clone(), epoch }),
                end(tenant, epoch),
            ],
        },
        Stage::GivenUp { .. } => vec![
            Order::Group(group, Command::SettleTenant { tenant: id.clone(), epoch }),
            Order::Group(to, Command::DiscardArrival { tenant: id.clone(), epoch }),
            end(tenant, epoch),
        ],
        Stage::Failed { .. } => return None,
    };
    Some(Task::Settle { tenant: id, epoch, orders })
}

/// Frozen, copied, and its home flipped.
fn carry(group: u32, tenant: TenantId, going: &Move, hold: Option<&Hold>, state: &State) -> Task {
    let epoch = going.epoch;
    let give_up = |why: String| {
        let command = membership::Command::GiveUpMove { tenant: tenant.to_string(), epoch, why };
        vec![Order::Directory(command)]
    };
    let orders = match state.departure(&tenant).filter(|_| hold.is_some()) {
        Some(copy) => match copy.size() {
            size if size > LARGEST => {
                give_up(format!("it is {} MiB, more than {} MiB", size >> 20, LARGEST >> 20))
            }
            _ => vec![
                Order::Group(going.to, Command::TakeInTenant { arrival: copy.into() }),
                Order::Directory(membership::Command::FlipTenant { tenant: tenant.to_string(), epoch }),
            ],
        },
        None if state.tenant(&tenant).is_none() => give_up(format!("group {group} has no such tenant")),
        None => vec![Order::Group(group, Command::FreezeTenant { tenant: tenant.clone(), epoch, group })],
    };
    Task::Carry { tenant, epoch, orders }
}

fn end(tenant: &str, epoch: u64) -> Order {
    Order::Directory(membership::Command::EndMove { tenant: tenant.to_owned(), epoch })
}

fn of_hold(group: u32, tenant: &TenantId, hold: &Hold, directory: &Directory) -> Option<Task> {
    let epoch = hold.epoch();
    let settle =
        |command| Task::Settle { tenant: tenant.clone(), epoch, orders: vec![Order::Group(group, command)] };
    let home = directory.home(tenant.as_str());
    match hold.standing() {
        // A copy of the directory that is older than the move knows nothing of it yet.
        Standing::Gone if home.is_none() && directory.version >= epoch => {
            Some(settle(Command::ForgetHold { tenant: tenant.clone(), epoch }))
        }
        Standing::Gone => hand_on(tenant, hold, home?.group),
        Standing::Settling => hand_on(tenant, hold, group),
        Standing::Leaving | Standing::Arriving => {
            let settled = Command::SettleTenant { tenant: tenant.clone(), epoch };
            (!is_awaited(tenant, epoch, directory)).then(|| settle(settled))
        }
    }
}

fn hand_on(tenant: &TenantId, hold: &Hold, to: u32) -> Option<Task> {
    let reports: Vec<_> =
        hold.reports().take(REPORTS).map(|(number, report)| (number, report.clone())).collect();
    let (tenant, epoch, series) = (tenant.clone(), hold.epoch(), hold.series());
    (!reports.is_empty()).then_some(Task::HandOn { tenant, epoch, to, series, reports })
}

/// Whether the tenant's move is under way, as far as this copy of the directory can tell.
fn is_awaited(tenant: &TenantId, epoch: u64, directory: &Directory) -> bool {
    let going = directory.move_of(tenant.as_str()).filter(|going| going.epoch == epoch);
    directory.version < epoch || going.is_some_and(Move::is_under_way)
}

#[cfg(test)]
mod tests;
