//! I12: a conference's list holds the calls whose sessions name it, and no others; who is in one is in that list.

use super::Violation;
use crate::{call::Call, tenant::Tenant};

pub(super) fn check(tenant: &Tenant, found: &mut Vec<Violation>) {
    for call in tenant.calls().filter(|call| !call.is_over()) {
        let named = call.media.conference.as_str();
        let is_listed = tenant.conferences.get(named).is_some_and(|known| known.calls.contains(&call.id));
        let is_in = call.conferring().is_none_or(|conferring| *conferring.name == *named);
        if (!named.is_empty() && !is_listed) || !is_in {
            found.push(Violation::new("I12", format!("{} names `{named}`, which does not list it", call.id)));
        }
    }
    for (name, conference) in &tenant.conferences {
        let is_its = |call: &Call| !call.is_over() && *call.media.conference == **name;
        let strays = conference.calls.iter().filter(|call| !tenant.call(**call).is_some_and(is_its)).count();
        if strays > 0 || conference.calls.is_empty() {
            found.push(Violation::new("I12", format!("`{name}` lists {strays} calls that are not its own")));
        }
    }
}
