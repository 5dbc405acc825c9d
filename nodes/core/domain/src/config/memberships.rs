//! Which groups an employee serves and at which place, worked out once per configuration: every change of an agent
//! asks for it.

use std::{collections::BTreeMap, sync::OnceLock};

use mangrove_proto::id::{EmployeeId, GroupId};

use super::Group;

type Places = BTreeMap<EmployeeId, Vec<(GroupId, usize)>>;

/// Read from the groups at the first question. No part of what is configured: all are equal, and a copy, which may be
/// changed, works it out anew.
#[derive(Debug, Default)]
pub(crate) struct Memberships(OnceLock<Places>);

impl Memberships {
    /// Groups by id, each with the place among its members.
    pub(super) fn of(&self, employee: &EmployeeId, groups: &BTreeMap<GroupId, Group>) -> &[(GroupId, usize)] {
        self.0.get_or_init(|| places(groups)).get(employee).map_or(&[], Vec::as_slice)
    }
}

fn places(groups: &BTreeMap<GroupId, Group>) -> Places {
    let mut places = Places::new();
    for group in groups.values() {
        for (place, member) in group.members.iter().enumerate() {
            places.entry(member.employee.clone()).or_default().push((group.id.clone(), place));
        }
    }
    places
}

impl Clone for Memberships {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Memberships {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
