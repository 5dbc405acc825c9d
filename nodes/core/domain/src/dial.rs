//! The dial plan: what a number means that an employee dialled or transferred to.

use std::sync::Arc;

use mangrove_proto::id::{EmployeeId, GroupId};

use crate::{
    config::{Employee, Extension, TenantConfig, Trunk},
    routes,
};

/// Where a dialled number leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dialled {
    /// A colleague.
    Employee(EmployeeId),
    /// A group's queue.
    Group(GroupId),
    /// A conference.
    Conference(Arc<str>),
    /// The tenant's own public number: its scheme, without going outside.
    Number(String),
    /// Anything else that is a phone number.
    Outside(String),
}

/// Fewer digits are an extension that does not exist, never an outside number.
const SHORTEST_OUTSIDE: usize = 5;

/// Reads a dialled number. None: it is nobody's.
pub(crate) fn read(config: &TenantConfig, dialled: &str) -> Option<Dialled> {
    match config.extension(dialled) {
        Some(Extension::Employee(employee)) => return Some(Dialled::Employee(employee.id.clone())),
        Some(Extension::Group(group)) => return Some(Dialled::Group(group.id.clone())),
        Some(Extension::Conference(conference)) => {
            return Some(Dialled::Conference(conference.name.clone()));
        }
        None => {}
    }
    let digits = routes::number(dialled);
    if config.numbers.contains_key(digits.as_str()) {
        return Some(Dialled::Number(digits));
    }
    let is_number = dialled.chars().all(|c| c.is_ascii_digit() || "+-.() ".contains(c));
    (is_number && digits.len() >= SHORTEST_OUTSIDE).then_some(Dialled::Outside(digits))
}

/// The trunk for an employee's outside call, and the number to show: one that the trunk owns.
pub(crate) fn way_out<'a>(config: &'a TenantConfig, employee: &Employee) -> Option<(&'a Trunk, String)> {
    let wanted = config.caller_id(employee);
    config.trunks.iter().filter(|trunk| !trunk.to.is_empty()).find_map(|trunk| {
        let shown = match &wanted {
            Some(number) => trunk.caller_ids.iter().find(|owned| *owned == number),
            None => trunk.caller_ids.first(),
        };
        shown.map(|shown| (trunk, shown.to_string()))
    })
}
