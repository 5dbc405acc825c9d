//! Far ends are told of another edge's or media node's address: phones at once, a trunk's legs one after another, as fast
//! as it takes new calls.

use mangrove_proto::id::LegId;

use super::{Call, party::Party, stage::Stage};
use crate::{line, scene::Scene};

/// Re-INVITEs a second to a trunk that sets no rate.
const PER_SECOND: u32 = 50;

impl Call {
    /// Whether a far end may still send to an address of ours that was another node's: it waits for its turn to be told, or
    /// has not answered yet.
    pub fn is_retelling(&self) -> bool {
        self.parties.values().any(|party| party.is_alive() && is_retold(party))
    }
}

/// Whether the far end has its turn to come, or its answer to give.
pub(crate) fn is_retold(party: &Party) -> bool {
    party.told_at.is_some() || party.line.is_offering()
}

/// Who moves first when many calls have to: the lower. In a talk somebody speaks into the void meanwhile.
pub(crate) fn place(call: &Call) -> u8 {
    u8::from(!matches!(call.stage, Stage::Talking(_) | Stage::Conferring(_)))
}

/// Gives legs whose far ends know another address of ours their turns: calls get them in the order of this being called.
pub(crate) fn line_up(call: &mut Call, moved: &[LegId], scene: &mut Scene<'_>) {
    for leg in legs(call, |party| moved.contains(&party.id) && party.is_alive() && party.answered.is_some()) {
        let outside = call.party(leg).is_some_and(|party| party.employee.is_none());
        let turn = match call.trunk.as_deref().filter(|_| outside) {
            Some(trunk) => turn(trunk, scene),
            None => scene.now(),
        };
        if let Some(party) = call.party_mut(leg) {
            party.told_at = Some(turn);
        }
    }
}

/// Tells those whose turn it is and whose new address is known; who has none yet is told once it has.
pub(crate) fn fire(call: &mut Call, scene: &mut Scene<'_>) {
    let now = scene.now();
    for leg in legs(call, |party| party.told_at.is_some_and(|turn| turn <= now)) {
        if let Some(party) = call.party_mut(leg) {
            party.told_at = None;
        }
        if call.party(leg).is_some_and(Party::is_alive) && !call.media.is_untold(leg) {
            call.expects_sound_since = now;
            line::reoffer(call, leg, scene);
        }
    }
}

fn legs(call: &Call, which: impl Fn(&Party) -> bool) -> Vec<LegId> {
    call.parties.values().filter(|party| which(party)).map(|party| party.id).collect()
}

/// When the trunk takes one more.
fn turn(trunk: &str, scene: &mut Scene<'_>) -> u64 {
    let now = scene.now();
    let rate = scene.tenant.config.trunk(trunk).and_then(|trunk| trunk.calls_per_second);
    let pause = (1_000 / u64::from(rate.unwrap_or(PER_SECOND).max(1))).max(1);
    let usage = scene.tenant.usage.entry(format!("trunk/{trunk}")).or_default();
    let turn = usage.next_change.max(now);
    usage.next_change = turn + pause;
    turn
}
