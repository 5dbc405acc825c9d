//! What a leader writes on every command: the only clock and the only chance that the rules know.

use mangrove_sip::Seed;
use serde::{Deserialize, Serialize};

use crate::state::hash_of;

/// The leader's stamp. All replicas see the same one, so all decide alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Milliseconds of the group's monotonic clock, which never goes back, not even over takeovers. All timers.
    pub now: u64,
    /// Unix milliseconds. Labels and calendar days only.
    pub wall: u64,
    /// Source of ids, tags, branches and of the strategy `random`.
    pub seed: u64,
    /// Log index of the entry.
    pub index: u64,
    /// Place of the command within its entry.
    pub ordinal: u32,
    /// Whose leadership it is.
    pub fence: Fence,
}

/// The right under which effects go out; with the tenant's epoch and the log index it makes the whole fence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Of the cluster; changes when it is restored from a backup.
    pub incarnation: u64,
    /// Of the leader.
    pub term: u64,
}

/// One instant on both clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Monotonic milliseconds.
    pub now: u64,
    /// Unix milliseconds, a label.
    pub wall: u64,
}

impl Moment {
    /// Milliseconds from here to `later`, 0 if it is earlier.
    pub fn until(self, later: Moment) -> u64 {
        later.now.saturating_sub(self.now)
    }
}

impl Stamp {
    /// The command's own source of chance: no two commands share one, even if their seeds are alike.
    pub(crate) fn chance(&self) -> Seed {
        let place = [self.seed, self.index, self.ordinal.into()].map(u64::to_be_bytes);
        Seed::new(hash_of(&[&place[0], &place[1], &place[2]]))
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.now, wall: self.wall }
    }
}
