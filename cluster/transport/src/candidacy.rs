//! Two replicas that stand for election at the same moment vote for themselves, and neither is elected. Far apart that is
//! every second election, for a message takes a third of the time by which their timers differ. So of two that ask for
//! pre-votes at once (Ongaro's thesis, section 9.6) the one with the smaller number goes first: while its own question is
//! under way it refuses the other's, if its log is as new.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mangrove_raft::types::LogId;
use mangrove_raft::{GroupId, NodeId, Raft, TypeConfig};
use openraft::raft::VoteRequest;
use tokio::time::Instant;

/// Questions that are so many limits apart do not belong to one candidacy.
const APART: u32 = 4;
/// Others wait for a candidacy this many limits: it may be that nobody answers to it.
const PATIENCE: u32 = 2;

/// When this node asked for pre-votes, by group. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidacies {
    asked: Arc<Mutex<BTreeMap<GroupId, Candidacy>>>,
}

#[derive(Debug, Clone, Copy)]
struct Candidacy {
    first: Instant,
    last: Instant,
}

impl Candidacies {
    /// The node asks now, and waits for an answer no longer than `limit`.
    pub(crate) fn ask(&self, group: GroupId, now: Instant, limit: Duration) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = asked.get(&group).filter(|before| now.duration_since(before.last) < limit * APART);
        let first = begun.map_or(now, |before| before.first);
        asked.insert(group, Candidacy { first, last: now });
    }

    /// Whether a question is under way, and no more than a few have been.
    fn is_under_way(&self, group: GroupId, now: Instant, limit: Duration) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(&group).is_some_and(|candidacy| {
            now.duration_since(candidacy.last) < limit
                && now.duration_since(candidacy.first) < limit * PATIENCE
        })
    }

    /// Whether another's pre-vote, which Raft would grant, is to wait for this node's own. `last` is the end of this node's log.
    pub(crate) fn goes_first(
        &self,
        raft: &Raft,
        group: GroupId,
        asked: &VoteRequest<TypeConfig>,
        last: Option<LogId>,
    ) -> bool {
        // A pre-vote may take three quarters of this (`RPCOption::soft_ttl`).
        let limit = Duration::from_millis(raft.config().election_timeout_min) * 3 / 4;
        let other = (asked.vote.leader_id().voted_for, asked.last_log_id);
        goes_first((*raft.node_id(), last), other)
            && !asked.leadership_transfer
            && self.is_under_way(group, Instant::now(), limit)
    }
}

/// Of two candidates with their logs' ends.
fn goes_first(own: (NodeId, Option<LogId>), other: (NodeId, Option<LogId>)) -> bool {
    own.0 < other.0 && own.1 >= other.1
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(450);

    #[test]
    fn the_smaller_number_goes_first_unless_its_log_is_older() {
        let log = |index| Some(LogId::new_term_index(3, index));
        for (own, other, expected) in [
            ((1, log(7)), (2, log(7)), true),
            ((1, log(8)), (2, log(7)), true),
            ((1, log(6)), (2, log(7)), false),
            ((2, log(8)), (1, log(7)), false),
            ((1, None), (2, None), true),
            ((1, None), (2, log(1)), false),
        ] {
            assert_eq!(goes_first(own, other), expected, "{own:?} and {other:?}");
        }
    }

    #[test]
    fn a_candidacy_that_nobody_answers_is_not_waited_for_long() {
        let (candidacies, start) = (Candidacies::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!candidacies.is_under_way(1, at(0), LIMIT));
        for (asked, then, expected) in
            [(0, 449, true), (0, 450, false), (800, 850, true), (1_600, 1_650, false), (9_000, 9_100, true)]
        {
            candidacies.ask(1, at(asked), LIMIT);
            assert_eq!(candidacies.is_under_way(1, at(then), LIMIT), expected, "asked at {asked}, at {then}");
            assert!(!candidacies.is_under_way(2, at(then), LIMIT));
        }
    }
}
