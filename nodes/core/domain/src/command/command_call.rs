//! Somebody who may asks that a call end.

use mangrove_proto::{
    id::{CallId, TenantId},
    live::EndedBy,
};

use super::CallWish;
use crate::{
    call::end,
    cause::Cause,
    effect::{Effects, Reply},
    record::{Audit, AuditChange, Author, Record},
    scene,
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(
    state: &mut State,
    tenant: &TenantId,
    call: CallId,
    wish: CallWish,
    author: Author,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let CallWish::HangUp = wish;
    let ended = scene::play(state, tenant, stamp, effects, |scene| {
        scene.with_call(call, |call, scene| {
            let live = !call.is_over();
            end::end(call, Cause::EndedByOperator, EndedBy::System, scene);
            live
        })
    });
    if ended.flatten() != Some(true) {
        return Reply::NotFound { what: format!("call {call}") };
    }
    let change = AuditChange {
        object: format!("call/{call}"),
        action: "hang-up".into(),
        before: String::new(),
        after: String::new(),
    };
    state.outbox.add(Record::Audit(Audit {
        tenant: tenant.clone(),
        at: stamp.wall,
        author,
        version: 0,
        change,
    }));
    effects.outbox = true;
    Reply::Done
}
