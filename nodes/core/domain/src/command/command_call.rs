//! Somebody who may asks that a call end, or something about its recording.

use mangrove_proto::{
    id::{CallId, TenantId},
    live::EndedBy,
};

use super::{CallWish, RecordingWish};
use crate::{
    ask::{Ask, Turn},
    call::{Call, end, recording},
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
    (wish, ask): (CallWish, Option<Ask>),
    author: Author,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let reply = scene::play(state, tenant, stamp, effects, |scene| {
        scene.with_call(call, |call, scene| grant(call, wish, ask, scene))
    });
    let reply = reply.flatten().unwrap_or_else(|| missing(call));
    if reply != Reply::Done {
        return reply;
    }
    let change = AuditChange {
        object: format!("call/{call}"),
        action: wish.name().into(),
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

fn missing(call: CallId) -> Reply {
    Reply::NotFound { what: format!("call {call}") }
}

fn grant(call: &mut Call, wish: CallWish, ask: Option<Ask>, scene: &mut Scene<'_>) -> Reply {
    if call.is_over() {
        return missing(call.id);
    }
    match wish {
        CallWish::HangUp => {
            end::end(call, Cause::EndedByOperator, EndedBy::System, scene);
            Reply::Done
        }
        CallWish::Record(wish) => record(call, wish, ask, scene),
    }
}

/// Granted once, however often it comes, and not after something that its asker asked for later.
fn record(call: &mut Call, wish: RecordingWish, ask: Option<Ask>, scene: &mut Scene<'_>) -> Reply {
    match call.asks.turn(ask) {
        Turn::New => {}
        Turn::Again => return Reply::Seen,
        Turn::Late => {
            return Reply::Conflict { what: format!("call {}: asked for something else since", call.id) };
        }
    }
    if let Err(why) = recording::ask(call, wish, scene) {
        return Reply::Refused { why: why.into() };
    }
    if let Some(ask) = ask {
        call.asks.note(ask);
    }
    Reply::Done
}
