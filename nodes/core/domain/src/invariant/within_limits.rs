//! I10: no limit was exceeded by letting a call in. A limit lowered afterwards ends no call.

use std::collections::BTreeMap;

use super::Violation;
use crate::tenant::Tenant;

pub(super) fn check(tenant: &Tenant, found: &mut Vec<Violation>) {
    let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
    for key in tenant.calls().flat_map(|call| &call.channels) {
        *counted.entry(key).or_default() += 1;
    }
    for (key, usage) in &tenant.usage {
        let really = counted.get(key.as_str()).copied().unwrap_or(0);
        if usage.used != really {
            found.push(Violation::new("I10", format!("{key}: {} counted, {really} in use", usage.used)));
        }
        if usage.allowed.is_some_and(|allowed| really > allowed) {
            found.push(Violation::new("I10", format!("{key}: {really} in use, {:?} allowed", usage.allowed)));
        }
    }
}
