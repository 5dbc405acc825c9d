//! Somebody who may asks that a call end, or stands beside it as a supervisor.

use mangrove_proto::{
    id::{CallId, TenantId},
    live::EndedBy,
};

use super::CallWish;
use crate::{
    call::{
        Call, end,
        monitor::{self, Mode},
    },
    cause::Cause,
    effect::{Effects, Reply},
    record::{Audit, AuditChange, Author, Record},
    scene::{self, Scene},
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
    let granted = scene::play(state, tenant, stamp, effects, |scene| {
        scene.with_call(call, |call, scene| grant(call, &wish, scene))
    });
    let change = match granted.flatten() {
        Some(Ok(change)) => change,
        Some(Err(reply)) => return reply,
        None => return Reply::NotFound { what: format!("call {call}") },
    };
    let (tenant, at) = (tenant.clone(), stamp.wall);
    state.outbox.add(Record::Audit(Audit { tenant, at, author, version: 0, change }));
    effects.outbox = true;
    Reply::Done
}

/// What is written down of it, or why it is not granted.
fn grant(call: &mut Call, wish: &CallWish, scene: &mut Scene<'_>) -> Result<AuditChange, Reply> {
    let object = format!("call/{}", call.id);
    if call.is_over() {
        return Err(Reply::NotFound { what: format!("call {}", call.id) });
    }
    match wish {
        CallWish::HangUp => {
            end::end(call, Cause::EndedByOperator, EndedBy::System, scene);
            let (before, after) = (String::new(), String::new());
            Ok(AuditChange { object, action: "hang-up".into(), before, after })
        }
        CallWish::Monitor { supervisor, mode } => {
            let before = monitor::ask(call, supervisor, *mode, scene)?;
            let word = |mode: Option<Mode>| mode.map_or_else(String::new, |mode| mode.name().to_owned());
            let (before, after) = (word(before), word(*mode));
            Ok(AuditChange { object, action: "monitor".into(), before, after })
        }
    }
}
