//! Somebody has heard a message or deletes it; or it was mailed, or its sound is gone.

use mangrove_proto::id::TenantId;

use super::MessageWish;
use crate::{
    effect::{Effects, Reply},
    lamp,
    mailbox::Place,
    record::{Audit, AuditChange, Author, Record},
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(
    state: &mut State,
    tenant: &TenantId,
    place: &Place,
    wish: MessageWish,
    author: Author,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let done = scene::play(state, tenant, stamp, effects, |scene| carry_out(place, wish, scene));
    let reply = done.unwrap_or_else(|| missing(place));
    if let (Reply::Done, Some(action)) = (&reply, wish.action()) {
        let object = format!("message/{}/{}", place.mailbox, place.number);
        let change =
            AuditChange { object, action: action.into(), before: String::new(), after: String::new() };
        let (tenant, at) = (tenant.clone(), stamp.wall);
        state.outbox.add(Record::Audit(Audit { tenant, at, author, version: 0, change }));
        effects.outbox = true;
    }
    reply
}

fn missing(place: &Place) -> Reply {
    Reply::NotFound { what: format!("message {} in {}", place.number, place.mailbox) }
}

fn carry_out(place: &Place, wish: MessageWish, scene: &mut Scene<'_>) -> Reply {
    let Some(message) = scene.tenant.message_mut(place) else { return missing(place) };
    match wish {
        MessageWish::Hear if message.deleted => return missing(place),
        MessageWish::Hear if message.heard => return Reply::Seen,
        MessageWish::Delete if message.deleted => return Reply::Seen,
        MessageWish::Hear => message.heard = true,
        MessageWish::Delete => message.deleted = true,
        MessageWish::Mailed => message.mail_due = false,
        // Who deletes its sound has seen that it is to be deleted.
        MessageWish::Gone if !message.deleted => return Reply::Refused { why: "it is not deleted".into() },
        MessageWish::Gone => scene.tenant.forget_message(place),
    }
    if wish.action().is_some() {
        lamp::show_owner(&place.mailbox, scene);
    }
    Reply::Done
}
