//! Two replicas that stand for election at the same moment vote for themselves, and neither is elected. Far apart that is
//! every second election, for a message takes a third of the time by which their timers differ. So of those who ask for
//! pre-votes at once (Ongaro's thesis, section 9.6) the one with the smaller number goes first: while its question is under
//! way, itself and whoever granted it refuse the others', if its term and its log are as new.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mangrove_raft::types::LogId;
use mangrove_raft::{GroupId, NodeId, Raft, TypeConfig};
use openraft::raft::VoteRequest;
use tokio::time::Instant;

/// Questions that are so many limits apart do not belong to one candidacy.
const APART: u32 = 4;
/// Others wait for a candidacy this many limits: it may be that nobody answers to it.
const PATIENCE: u32 = 2;

/// Who asks for pre-votes, by group: this node itself, and whom it granted one. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidacies {
    groups: Arc<Mutex<BTreeMap<GroupId, Rivals>>>,
}

impl Candidacies {
    /// This node asks now, and waits for an answer no longer than `limit`.
    pub(crate) fn ask(&self, group: GroupId, own: &VoteRequest<TypeConfig>, now: Instant, limit: Duration) {
        self.groups().entry(group).or_default().note(Candidate::of(own), now, limit);
    }

    /// Whether another's question, which Raft would grant, is granted: not if it is to wait for somebody that goes first.
    pub(crate) fn grants(
        &self,
        group: GroupId,
        other: &VoteRequest<TypeConfig>,
        now: Instant,
        limit: Duration,
    ) -> bool {
        // The leader itself asked for this election.
        other.leadership_transfer
            || self.groups().entry(group).or_default().grants(Candidate::of(other), now, limit)
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<GroupId, Rivals>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a pre-vote may take: three quarters of what openraft gives it (`RPCOption::soft_ttl`).
pub(crate) fn limit(raft: &Raft) -> Duration {
    Duration::from_millis(raft.config().election_timeout_min) * 3 / 4
}

/// Those of one group, as one node knows them.
#[derive(Debug, Default)]
struct Rivals(BTreeMap<NodeId, Candidacy>);

impl Rivals {
    fn note(&mut self, candidate: Candidate, now: Instant, limit: Duration) {
        self.0.retain(|_, known| now.duration_since(known.last) < limit * APART);
        let first = self.0.get(&candidate.node).map_or(now, |before| before.first);
        self.0.insert(candidate.node, Candidacy { candidate, first, last: now });
    }

    /// Who is granted is known from then on.
    fn grants(&mut self, other: Candidate, now: Instant, limit: Duration) -> bool {
        let waits = self
            .0
            .values()
            .any(|known| known.candidate.goes_before(&other) && known.is_under_way(now, limit));
        if !waits {
            self.note(other, now, limit);
        }
        !waits
    }
}

/// Who asks, for which term, with the end of its log.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    node: NodeId,
    term: u64,
    log: Option<LogId>,
}

impl Candidate {
    fn of(asked: &VoteRequest<TypeConfig>) -> Self {
        let id = asked.vote.leader_id();
        Self { node: id.voted_for, term: id.term, log: asked.last_log_id }
    }

    fn goes_before(&self, other: &Self) -> bool {
        self.node < other.node && self.term >= other.term && self.log >= other.log
    }
}

/// A candidate's questions, from the first to the last.
#[derive(Debug)]
struct Candidacy {
    candidate: Candidate,
    first: Instant,
    last: Instant,
}

impl Candidacy {
    /// Whether a question is under way, and no more than a few have been.
    fn is_under_way(&self, now: Instant, limit: Duration) -> bool {
        now.duration_since(self.last) < limit && now.duration_since(self.first) < limit * PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(450);

    /// With a log of so many entries, of term 3.
    fn candidate(node: NodeId, term: u64, entries: u64) -> Candidate {
        Candidate { node, term, log: (entries > 0).then(|| LogId::new_term_index(3, entries)) }
    }

    #[test]
    fn the_smaller_number_goes_first_unless_its_term_or_its_log_is_older() {
        for (one, other, expected) in [
            ((1, 4, 7), (2, 4, 7), true),
            ((1, 4, 8), (2, 4, 7), true),
            ((1, 4, 6), (2, 4, 7), false),
            ((2, 4, 8), (1, 4, 7), false),
            ((1, 4, 0), (2, 4, 0), true),
            ((1, 4, 0), (2, 4, 1), false),
            ((1, 5, 7), (2, 4, 7), true),
            ((1, 4, 8), (2, 5, 7), false),
            ((1, 4, 7), (1, 4, 7), false),
        ] {
            let ((node, term, log), (node2, term2, log2)) = (one, other);
            let found = candidate(node, term, log).goes_before(&candidate(node2, term2, log2));
            assert_eq!(found, expected, "{one:?} and {other:?}");
        }
    }

    #[test]
    fn a_candidacy_that_nobody_answers_is_not_waited_for_long() {
        let (mut rivals, start) = (Rivals::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        for (asked, then, granted) in
            [(0, 449, false), (0, 450, true), (800, 850, false), (1_600, 1_650, true), (9_000, 9_100, false)]
        {
            rivals.note(candidate(1, 4, 7), at(asked), LIMIT);
            assert_eq!(
                rivals.grants(candidate(2, 4, 7), at(then), LIMIT),
                granted,
                "asked at {asked}, at {then}"
            );
        }
    }

    #[test]
    fn of_three_rivals_among_five_one_is_granted_by_more_than_half() {
        let now = Instant::now();
        let stands = |node: NodeId| {
            let mut rivals = Rivals::default();
            if node <= 3 {
                rivals.note(candidate(node, 4, 7), now, LIMIT);
            }
            (node, rivals)
        };
        let mut nodes: BTreeMap<NodeId, Rivals> = (1..=5).map(stands).collect();
        let mut granted = |rival: NodeId| {
            let others = nodes.iter_mut().filter(|(node, _)| **node != rival);
            let answers = others.map(|(_, known)| known.grants(candidate(rival, 4, 7), now, LIMIT));
            answers.filter(|granted| *granted).count()
        };
        assert_eq!((granted(1), granted(2), granted(3)), (4, 0, 0), "beside their own");
    }

    #[test]
    fn who_was_granted_first_goes_on_before_greater_numbers_alone() {
        let (mut rivals, now) = (Rivals::default(), Instant::now());
        for (node, term, granted) in
            [(3, 4, true), (4, 4, false), (2, 4, true), (3, 4, false), (2, 4, true), (3, 5, true)]
        {
            let found = rivals.grants(candidate(node, term, 7), now, LIMIT);
            assert_eq!(found, granted, "node {node} for term {term}");
        }
    }
}
