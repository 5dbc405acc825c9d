//! `conference`: answers and puts the guest into a conference, asked for its PIN where it has one. They stay until they hang
//! up; the next step is for those who can't come in: it is locked or full, or the PIN was wrong three times.

use std::sync::Arc;

use super::Flow;
use crate::{
    call::{Call, confer},
    cause::Cause,
    scene::Scene,
};

pub(super) fn run(name: &Arc<str>, call: &mut Call, scene: &mut Scene<'_>) -> Flow {
    match confer::arrive(call, name, scene) {
        Ok(()) => Flow::Wait,
        Err(cause) => {
            call.media.conference.clear();
            scene.tell(call, format!("the conference {name} takes nobody"), Cause::name(cause));
            Flow::Next(cause)
        }
    }
}
