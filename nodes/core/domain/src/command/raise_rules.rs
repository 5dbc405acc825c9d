//! All nodes know newer rules: from here on the group decides by them, every replica from the same entry on. Said again, or
//! late, it changes nothing: rules are never lowered. A version that this build does not know comes no further than
//! [`rules::unknown`](crate::rules::unknown).

use crate::{effect::Reply, state::State};

pub(super) fn apply(state: &mut State, to: u32) -> Reply {
    if to <= state.rules() {
        return Reply::Seen;
    }
    state.raise_rules(to);
    Reply::Done
}
