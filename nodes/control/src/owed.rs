//! What the outside must still get of an object, computed from State, with the right of a leadership.

use mangrove_domain::{Action, ObjectRef, Stamp};
use mangrove_membership::Fence;

use crate::machine::Current;

/// The object's owed effects, in order.
///
/// They carry the index of the state that they are read from: a media node refuses what is older than it has seen, and
/// it may have seen later effects than the leadership's first. `now` is the group's clock.
pub(crate) fn of(current: &Current, object: &ObjectRef, fence: Fence, now: u64) -> Vec<Action> {
    let stamp = Stamp {
        now,
        wall: current.wall,
        seed: 0,
        index: current.index.max(fence.index),
        ordinal: 0,
        fence: mangrove_domain::Fence { incarnation: fence.incarnation, term: fence.term },
    };
    current.state.owed(object, stamp).into_iter().map(|effect| effect.action).collect()
}

/// What names an effect, the same whenever it is repeated.
pub(crate) fn id(action: &Action) -> u64 {
    match action {
        Action::Edge { command, .. } => command.effect,
        Action::Media { command, .. } => command.effect,
    }
}

/// Whose edge or media role an effect is for.
pub(crate) fn node(action: &Action) -> &str {
    match action {
        Action::Edge { node, .. } | Action::Media { node, .. } => node,
    }
}
