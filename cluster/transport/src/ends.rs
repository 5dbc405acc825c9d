//! How far followers' logs go along with a new leader's, by what they said when they voted for it. Openraft finds that out by
//! halving the log, a round trip a step: far apart, seconds in which nobody decides. Here, where votes and entries go by,
//! its first questions are answered from the votes.
//!
//! Why that may be said: what one leader wrote stands in all logs in the same order and without gaps (Log Matching, Ongaro's thesis,
//! section 3.5), so two logs that end with entries of the same leader are alike up to the end of the shorter one. A vote
//! is on the disk before it is answered, and what was written before it, too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mangrove_raft::types::{LogId, Vote};
use mangrove_raft::{GroupId, NodeId, TypeConfig};
use openraft::raft::{
    AppendEntriesRequest, StreamAppendError, StreamAppendResult, VoteRequest, VoteResponse,
};

/// The ends of logs of those who voted for this node, until entries go to them. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ends {
    known: Arc<Mutex<BTreeMap<(GroupId, NodeId), Known>>>,
}

/// This node's newest candidacy that a replica has to do with, and where its log ends. None: it has been asked, and its log
/// grows, so that a vote which comes late tells nothing any more.
type Known = (Candidate, Option<End>);

/// Where the log of a replica ends that voted; all of it is in the candidate's, too.
#[derive(Debug)]
struct End {
    last: LogId,
    /// Whether the candidate was told that it ends there.
    is_told: bool,
}

/// A term and its candidate.
type Candidate = (u64, NodeId);

impl Ends {
    /// What a replica answered when this node asked for its vote.
    pub(crate) fn voted(
        &self,
        group: GroupId,
        voter: NodeId,
        asked: &VoteRequest<TypeConfig>,
        answer: &VoteResponse<TypeConfig>,
    ) {
        let (mut known, of) = (self.known(), candidate(&asked.vote));
        let was_asked = |(before, end): &Known| before.0 > of.0 || (*before == of && end.is_none());
        if known.get(&(group, voter)).is_some_and(was_asked) {
            return;
        }
        let common = common(asked.last_log_id, answer.last_log_id).filter(|_| answer.vote_granted);
        known.insert((group, voter), (of, common.map(|last| End { last, is_told: false })));
    }

    /// What the replica would answer, if that is known. Nothing is known any more of one that has to be asked: its log grows.
    pub(crate) fn answer(
        &self,
        group: GroupId,
        replica: NodeId,
        request: &AppendEntriesRequest<TypeConfig>,
    ) -> Option<StreamAppendResult<TypeConfig>> {
        let (mut known, of) = (self.known(), candidate(&request.vote));
        let entry = known.entry((group, replica)).or_insert((of, None));
        if entry.0.0 < of.0 {
            *entry = (of, None);
        }
        if entry.0 != of {
            return None;
        }
        let last = request.entries.last().map(|entry| entry.log_id);
        let answer = entry.1.as_mut().and_then(|end| end.answer(request.prev_log_id, last?));
        if answer.is_none() {
            entry.1 = None;
        }
        answer
    }

    /// Its log becomes another, by a snapshot of the leader with this vote.
    pub(crate) fn forget(&self, group: GroupId, replica: NodeId, vote: &Vote) {
        self.known().insert((group, replica), (candidate(vote), None));
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<(GroupId, NodeId), Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn candidate(vote: &Vote) -> Candidate {
    let id = vote.leader_id();
    (id.term, id.voted_for)
}

/// The end of the voter's log, if all of it is in the candidate's for sure.
fn common(candidate: Option<LogId>, voter: Option<LogId>) -> Option<LogId> {
    let (candidate, voter) = (candidate?, voter?);
    (voter.leader_id == candidate.leader_id && voter.index <= candidate.index).then_some(voter)
}

impl End {
    /// What the replica answers to the leader's entries after `previous`, up to `last`, as far as it has them already; those
    /// that go on from its end it has to be given. A conflict is told where its log ends, so that the leader looks at no
    /// place after it.
    fn answer(&mut self, previous: Option<LogId>, last: LogId) -> Option<StreamAppendResult<TypeConfig>> {
        let end = self.last;
        match previous {
            Some(previous) if previous.index == end.index && self.is_told => None,
            Some(previous) if previous.index >= end.index => {
                self.is_told |= previous.index == end.index;
                Some(Err(StreamAppendError::Conflict(LogId { index: end.index + 1, ..previous })))
            }
            _ if last.index < end.index => Some(Ok(Some(last))),
            _ => {
                self.is_told = true;
                Some(Ok(Some(end)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mangrove_raft::types::Entry;
    use openraft::EntryPayload;

    use super::*;

    fn id(term: u64, index: u64) -> LogId {
        LogId::new_term_index(term, index)
    }

    #[test]
    fn logs_are_alike_up_to_the_shorter_ones_end_where_the_last_entries_are_of_one_leader() {
        for (candidate, voter, expected) in [
            (Some(id(3, 9)), Some(id(3, 9)), Some(id(3, 9))),
            (Some(id(3, 9)), Some(id(3, 7)), Some(id(3, 7))),
            (Some(id(3, 9)), Some(id(2, 7)), None),
            (Some(id(3, 9)), Some(id(3, 10)), None),
            (Some(id(3, 9)), None, None),
            (None, None, None),
        ] {
            assert_eq!(common(candidate, voter), expected, "{candidate:?} and {voter:?}");
        }
    }

    /// As openraft looks (`ProgressEntry::next_send`): eight entries at a time, from the middle of what is left.
    fn looked_for(end: u64, length: u64, purged: u64) -> (Option<u64>, u64) {
        let log = |index: u64| id(if index <= end { 3 } else { 4 }, index);
        let mut known = End { last: log(end), is_told: false };
        let (mut matching, mut searched) = (None::<LogId>, length);
        loop {
            let found = matching.map(|id| id.index);
            let next = found.map_or(0, |index| index + 1);
            if next == searched || searched < purged {
                return (found, searched);
            }
            let start = (next + (searched - next) / 16 * 8).max(purged);
            let last = log((start + 8).min(length) - 1);
            match known.answer(start.checked_sub(1).map(log), last) {
                None => return (found, searched),
                Some(Ok(found)) => {
                    assert!(found > matching && found <= Some(last), "from {matching:?} to {found:?}");
                    matching = found;
                }
                Some(Err(StreamAppendError::Conflict(at))) => {
                    assert!(at.index < searched && at.index >= next, "from {searched} to {at}");
                    searched = at.index;
                }
                Some(Err(other)) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn the_end_is_found_without_asking_anybody() {
        for end in (0..40).chain([100, 799, 1_599, 70_000]) {
            for more in (1..40).chain([500, 800, 1_600, 9_000]) {
                let (found, searched) = looked_for(end, end + 1 + more, 0);
                assert_eq!(found, Some(end), "{end} and {more}");
                // So few are given at once.
                assert!(searched <= end + 16, "{end} and {more}, until {searched}");
            }
        }
    }

    #[test]
    fn a_replica_that_ends_before_the_log_begins_is_found_to_need_a_snapshot() {
        assert_eq!(looked_for(20, 200, 50), (None, 21));
    }

    /// A vote for term 4 or later, and a question of its leader: entries after `previous`.
    fn voted(ends: &Ends, term: u64, vote_granted: bool) {
        let asked = VoteRequest::<TypeConfig>::new(Vote::new(term, 1), Some(id(3, 9)));
        let answer = VoteResponse { vote: asked.vote, vote_granted, last_log_id: Some(id(3, 9)) };
        ends.voted(7, 2, &asked, &answer);
    }

    fn request(term: u64, previous: u64) -> AppendEntriesRequest<TypeConfig> {
        AppendEntriesRequest {
            vote: Vote::new_committed(term, 1),
            prev_log_id: Some(id(3, previous)),
            entries: vec![Entry { log_id: id(3, previous + 1), payload: EntryPayload::Blank }],
            leader_commit: None,
        }
    }

    #[test]
    fn only_who_voted_for_this_leader_is_answered_for_and_only_until_it_is_asked() {
        let ends = Ends::default();
        voted(&ends, 4, true);
        assert_eq!(ends.answer(7, 2, &request(4, 4)), Some(Ok(Some(id(3, 5)))));
        assert_eq!(ends.answer(7, 3, &request(4, 4)), None, "another node");
        assert_eq!(ends.answer(8, 2, &request(4, 4)), None, "another group");
        assert_eq!(ends.answer(7, 2, &request(3, 4)), None, "an earlier term");
        assert!(ends.answer(7, 2, &request(4, 9)).is_some_and(|answer| answer.is_err()), "its end");
        assert_eq!(ends.answer(7, 2, &request(4, 9)), None, "to be given");
        assert_eq!(ends.answer(7, 2, &request(4, 4)), None, "was asked");

        voted(&ends, 5, true);
        assert_eq!(ends.answer(7, 2, &request(6, 4)), None, "another term");
        voted(&ends, 7, true);
        voted(&ends, 7, false);
        assert_eq!(ends.answer(7, 2, &request(7, 4)), None, "not for this one");
    }

    #[test]
    fn a_vote_that_comes_after_the_first_question_tells_nothing() {
        let ends = Ends::default();
        assert_eq!(ends.answer(7, 2, &request(4, 4)), None);
        voted(&ends, 4, true);
        assert_eq!(ends.answer(7, 2, &request(4, 4)), None, "its log has grown");
        ends.forget(7, 2, &Vote::new_committed(5, 1));
        voted(&ends, 5, true);
        assert_eq!(ends.answer(7, 2, &request(5, 4)), None, "it got a snapshot");
        voted(&ends, 4, true);
        voted(&ends, 6, true);
        assert!(ends.answer(7, 2, &request(6, 4)).is_some());
    }
}
