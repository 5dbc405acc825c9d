//! How many wrong PINs were typed of late at a conference's door, over all calls. Who was turned away calls again and has
//! three tries more, and of four digits there are ten thousand PINs only.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{call::Call, scene::Scene};

/// So many wrong PINs from outside within an hour: then no PIN from outside is looked at until that is over.
const MOST: u32 = 60;
const HOUR_MS: u64 = 3_600_000;

/// One conference's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Door {
    wrong: u32,
    /// When the first of them was typed.
    since: u64,
}

impl Door {
    fn is_over(self, now: u64) -> bool {
        now.saturating_sub(self.since) >= HOUR_MS
    }
}

/// Whether nothing that this call's guest types is looked at now.
pub(crate) fn is_shut(call: &Call, conference: &str, scene: &Scene<'_>) -> bool {
    let door = scene.tenant.doors.get(conference);
    is_stranger(call) && door.is_some_and(|door| door.wrong >= MOST && !door.is_over(scene.now()))
}

/// The guest has typed a wrong PIN.
pub(crate) fn note(call: &Call, conference: &Arc<str>, scene: &mut Scene<'_>) {
    if !is_stranger(call) {
        return;
    }
    let now = scene.now();
    let doors = &mut scene.tenant.doors;
    let over = doors.iter().filter(|(_, door)| door.is_over(now)).map(|(name, _)| name.clone());
    for name in over.collect::<Vec<Arc<str>>>() {
        doors.remove(&name);
    }
    let door = doors.entry(conference.clone()).or_insert(Door { wrong: 0, since: now });
    door.wrong = door.wrong.saturating_add(1);
}

/// Of employees it is known who they are, so that they need not be shut out with those who guess.
fn is_stranger(call: &Call) -> bool {
    call.party(call.guest).is_none_or(|guest| guest.employee.is_none())
}
