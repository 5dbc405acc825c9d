//! `voicemail`: answers, greets and takes a message for a box; the next step begins when the caller has ended it with `#` or
//! had their time. A box that is full leads nowhere.

use std::sync::Arc;

use super::Flow;
use crate::{
    call::{Call, voicemail},
    cause::Cause,
    line,
    mailbox::Messages,
    scene::Scene,
};

/// `greeting`: the box's own when absent.
pub(super) fn run(
    mailbox: &Arc<str>,
    greeting: Option<&Arc<str>>,
    call: &mut Call,
    scene: &mut Scene<'_>,
) -> Flow {
    let config = scene.tenant.config.clone();
    let Some(mailbox) = config.voicemail.get(mailbox) else { return Flow::Next(Cause::NotFound) };
    if scene.tenant.messages(&mailbox.name).is_some_and(Messages::is_full) {
        scene.tell(call, format!("the box {} is full", mailbox.name), "");
        return Flow::Next(Cause::VoicemailFull);
    }
    line::answer(call, call.guest, scene);
    voicemail::greet(call, mailbox, greeting, scene);
    Flow::Wait
}
