//! `play`: answers and plays a prompt once; the next step begins when it was heard to its end.

use std::sync::Arc;

use super::Flow;
use crate::{
    call::{Call, stage::Stage},
    line,
    scene::Scene,
};

pub(super) fn run(prompt: &Arc<str>, call: &mut Call, scene: &mut Scene<'_>) -> Flow {
    line::answer(call, call.guest, scene);
    let play = format!("play-{}", scene.tenant.next_number());
    scene.tell(call, format!("plays {prompt}"), "");
    call.move_to(Stage::Playing { play, prompt: prompt.clone() }, scene.moment());
    Flow::Wait
}
