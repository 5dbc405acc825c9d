//! `longest-idle`: whoever has been free the longest; the first in the group among equals.

use std::cmp::Reverse;

use super::Candidate;

pub(super) fn choose(candidates: &[Candidate]) -> Option<Candidate> {
    candidates.iter().max_by_key(|candidate| (candidate.idle_ms, Reverse(candidate.order))).cloned()
}
