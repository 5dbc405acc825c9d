//! `random`: any of them, each as likely. The chance is the stamp's seed.

use mangrove_sip::Seed;

use super::Candidate;

pub(super) fn choose(candidates: &[Candidate], seed: &mut Seed) -> Option<Candidate> {
    let count = candidates.len() as u64;
    if count == 0 {
        return None;
    }
    candidates.get(seed.below(count) as usize).cloned()
}
