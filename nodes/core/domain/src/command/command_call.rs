//! Somebody who may asks that a call end or go to somebody else, or something about its recording or a conference, or
//! stands beside it as a supervisor.

use mangrove_proto::{
    id::{CallId, TenantId},
    live::EndedBy,
};

use super::{CallWish, RecordingWish};
use crate::{
    ask::{Ask, Turn},
    call::{
        Call, confer, end,
        monitor::{self, Mode},
        recording,
        sent_on::{self, SentOn},
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
    (wish, ask): (CallWish, Option<Ask>),
    author: Author,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let granted = scene::play(state, tenant, stamp, effects, |scene| {
        scene.with_call(call, |call, scene| grant(call, &wish, ask, scene))
    });
    let Change { before, after } = match granted.flatten() {
        Some(Ok(change)) => change,
        Some(Err(reply)) => return reply,
        None => return missing(call),
    };
    let change = AuditChange { object: format!("call/{call}"), action: wish.name().into(), before, after };
    let (tenant, at) = (tenant.clone(), stamp.wall);
    state.outbox.add(Record::Audit(Audit { tenant, at, author, version: 0, change }));
    effects.outbox = true;
    Reply::Done
}

fn missing(call: CallId) -> Reply {
    Reply::NotFound { what: format!("call {call}") }
}

/// What a wish has changed, as the audit log has it.
#[derive(Debug, Default)]
struct Change {
    before: String,
    after: String,
}

/// Or why it is not granted.
fn grant(call: &mut Call, wish: &CallWish, ask: Option<Ask>, scene: &mut Scene<'_>) -> Result<Change, Reply> {
    if call.is_over() {
        return Err(missing(call.id));
    }
    match wish {
        CallWish::HangUp => end::end(call, Cause::EndedByOperator, EndedBy::System, scene),
        CallWish::Record(wish) => record(call, *wish, ask, scene)?,
        CallWish::Confer(wish) => confer::grant(call, *wish, scene)?,
        CallWish::Monitor { supervisor, mode } => {
            let before = monitor::ask(call, supervisor, *mode, scene)?;
            let word = |mode: Option<Mode>| mode.map_or("", Mode::name).to_owned();
            return Ok(Change { before: word(before), after: word(*mode) });
        }
        CallWish::Transfer { by, to } => {
            let SentOn { from, to } =
                once(call, ask, scene, |call, scene| sent_on::grant(call, by.as_ref(), to, scene))?;
            return Ok(Change { before: from, after: to });
        }
    }
    Ok(Change::default())
}

fn record(
    call: &mut Call,
    wish: RecordingWish,
    ask: Option<Ask>,
    scene: &mut Scene<'_>,
) -> Result<(), Reply> {
    once(call, ask, scene, |call, scene| {
        recording::ask(call, wish, scene).map_err(|why| Reply::Refused { why: why.into() })
    })
}

/// Granted once, however often it comes, and not after something that its asker asked for later.
fn once<T>(
    call: &mut Call,
    ask: Option<Ask>,
    scene: &mut Scene<'_>,
    grant: impl FnOnce(&mut Call, &mut Scene<'_>) -> Result<T, Reply>,
) -> Result<T, Reply> {
    match call.asks.turn(ask) {
        Turn::New => {}
        Turn::Again => return Err(Reply::Seen),
        Turn::Late => {
            let what = format!("call {}: asked for something else since", call.id);
            return Err(Reply::Conflict { what });
        }
    }
    let granted = grant(call, scene)?;
    if let Some(ask) = ask {
        call.asks.note(ask);
    }
    Ok(granted)
}
