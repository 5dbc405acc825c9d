//! The echo: an employee who calls `echo` at their company's domain hears what they say a moment later. It proves their
//! network and their headset, and is no call of the company's: nobody is rung, nothing is recorded, no record is kept.

use super::{Call, stage::Stage};
use crate::{line, rules, scene::Scene};

/// Whom to call. No extension is spelled so.
const USER: &str = "echo";
/// How much later one hears oneself.
pub(crate) const DELAY_MS: u32 = 1_000;
/// How long.
const LONGEST_MS: u64 = 30_000;

/// Whether an employee who dialled this wants to hear themselves.
pub(super) fn is_meant(dialled: &str, rules: u32) -> bool {
    dialled == USER && rules::echoes(rules)
}

/// Answers, and gives back what is heard from now on.
pub(super) fn begin(call: &mut Call, scene: &mut Scene<'_>) {
    line::answer(call, call.guest, scene);
    scene.tell(call, "echoes", "");
    let until = scene.now().saturating_add(LONGEST_MS);
    call.move_to(Stage::Echo { until }, scene.moment());
}
