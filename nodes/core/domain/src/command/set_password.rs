//! A login's password was changed: older tokens are void from now on.

use std::sync::Arc;

use mangrove_proto::id::{EmployeeId, TenantId};

use crate::{
    effect::{Effects, ObjectRef, Reply},
    record::{Audit, AuditChange, Author, Record},
    scene,
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(
    state: &mut State,
    tenant: &TenantId,
    employee: &EmployeeId,
    hash: &str,
    author: Author,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let changed = scene::play(state, tenant, stamp, effects, |scene| {
        Arc::make_mut(&mut scene.tenant.config).set_password(employee, hash)
    });
    if changed != Some(true) {
        return Reply::NotFound { what: format!("login of {employee}") };
    }
    let change = AuditChange::password(employee);
    let audit = Audit { tenant: tenant.clone(), at: stamp.wall, author, version: 0, change };
    state.outbox.add(Record::Audit(audit));
    effects.outbox = true;
    effects.touch(ObjectRef::Tenant(tenant.clone()));
    Reply::Done
}
