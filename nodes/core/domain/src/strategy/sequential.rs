//! `sequential`: from the top of the group for every caller; whoever was offered this caller before comes after those
//! who were not.

use super::Candidate;

pub(super) fn choose(candidates: &[Candidate]) -> Option<Candidate> {
    candidates.iter().min_by_key(|candidate| (candidate.tried, candidate.order)).cloned()
}
