//! Who of the free agents gets a caller, one file per strategy. Pure: the same candidates and seed, the same choice.

mod longest_idle;
mod random;
mod sequential;
mod simultaneous;
#[cfg(test)]
mod tests;

use mangrove_proto::id::EmployeeId;
use mangrove_sip::Seed;

use crate::config::Strategy;

/// A free agent of the priority whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) employee: EmployeeId,
    /// Place in the group.
    pub(crate) order: usize,
    /// Milliseconds since the last call ended.
    pub(crate) idle_ms: u64,
    /// Offers of this same caller before.
    pub(crate) tried: u32,
}

/// The agents to ring for one caller: one, or all at once. Empty only if there are no candidates.
pub(crate) fn choose(strategy: Strategy, candidates: &[Candidate], seed: &mut Seed) -> Vec<Candidate> {
    match strategy {
        Strategy::LongestIdle => longest_idle::choose(candidates).into_iter().collect(),
        Strategy::Simultaneous => simultaneous::choose(candidates),
        Strategy::Sequential => sequential::choose(candidates).into_iter().collect(),
        Strategy::Random => random::choose(candidates, seed).into_iter().collect(),
    }
}
