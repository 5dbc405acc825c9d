//! `play`: answers and plays a prompt once; the next step begins when it was heard to its end.

use std::sync::Arc;

use super::Flow;
use crate::{
    call::{Call, stage::Stage},
    line,
    scene::Scene,
};

/// No prompt is longer: one whose end was never reported has ended by then.
const LONGEST_MS: u64 = 21 * 60_000;

pub(super) fn run(prompt: &Arc<str>, call: &mut Call, scene: &mut Scene<'_>) -> Flow {
    line::answer(call, call.guest, scene);
    let play = format!("play-{}", scene.tenant.next_number());
    scene.tell(call, format!("plays {prompt}"), "");
    wait_for(play, prompt.clone(), Vec::new(), call, scene)
}

/// Waits for the end of the prompt of this name, or of what is said in its place.
pub(super) fn wait_for(
    play: String,
    prompt: Arc<str>,
    said: Vec<String>,
    call: &mut Call,
    scene: &Scene<'_>,
) -> Flow {
    // Music that was refused earlier says nothing about this prompt.
    call.media.silenced = false;
    let until = Some(scene.now() + LONGEST_MS);
    call.move_to(Stage::Playing { play, prompt, said, until }, scene.moment());
    Flow::Wait
}
