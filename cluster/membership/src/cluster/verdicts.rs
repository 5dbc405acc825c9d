//! Which verdicts on members are told now. Pure: time comes as an argument.
//!
//! What cuts off one member often cuts off several, and they come back together. Told one by one the first would get an
//! heir that is lost a moment later, and whoever is back first would take over what the next brings back itself. So a
//! verdict waits while another member hangs in the balance, for half of `lost_after` at most.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mangrove_raft::NodeId;
use tokio::time::Instant;

use super::pulse::Verdict;
use crate::options::Pulse as Rule;

/// Who is back with others comes so much later at most: its connections are tried again in growing steps.
const GRACE: Duration = Duration::from_secs(5);

/// Verdicts that are to be told.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    reached: BTreeMap<NodeId, (Verdict, Instant)>,
    /// Members lost before, whose addresses somebody could carry by now, and since when.
    orphaning: BTreeMap<NodeId, Instant>,
}

/// What is told as one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) lost: BTreeSet<NodeId>,
    pub(super) back: BTreeSet<NodeId>,
}

impl Told {
    pub(super) fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.back.is_empty()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.lost.iter().chain(&self.back).copied()
    }
}

impl Verdicts {
    /// Takes what a member's last ping made of it; none takes back what was not told yet.
    pub(super) fn reach(&mut self, id: NodeId, verdict: Option<Verdict>, now: Instant) {
        match verdict {
            None => drop(self.reached.remove(&id)),
            Some(verdict) => {
                let kept = self.reached.get(&id).filter(|(known, _)| *known == verdict);
                let since = kept.map_or(now, |(_, since)| *since);
                self.reached.insert(id, (verdict, since));
            }
        }
    }

    /// Takes whose addresses are nobody's though they need not be.
    pub(super) fn find(&mut self, orphaning: &BTreeSet<NodeId>, now: Instant) {
        self.orphaning.retain(|id, _| orphaning.contains(id));
        orphaning.iter().for_each(|id| _ = self.orphaning.entry(*id).or_insert(now));
    }

    /// Forgets members that are no more.
    pub(super) fn keep(&mut self, is_member: impl Fn(NodeId) -> bool) {
        self.reached.retain(|id, _| is_member(*id));
    }

    pub(super) fn has(&self, id: NodeId) -> bool {
        self.reached.contains_key(&id)
    }

    /// What is told now. Who was lost before is told so again when its addresses have been nobody's for a while in which it
    /// could have come back itself.
    pub(super) fn due(&self, hangs_in_the_balance: bool, now: Instant, rule: &Rule) -> Told {
        let longest = self.reached.values().map(|(_, since)| now.duration_since(*since)).max();
        let waits = hangs_in_the_balance && longest.is_none_or(|waited| waited < rule.lost_after / 2);
        let reached = self.reached.iter().filter(|_| !waits);
        let with = |wanted| reached.clone().filter(move |(_, (verdict, _))| *verdict == wanted);
        let orphaning = self.orphaning.iter().filter(|(_, since)| now.duration_since(**since) >= GRACE);
        let lost = with(Verdict::Lost).map(|(id, _)| *id).chain(orphaning.map(|(id, _)| *id));
        let back: BTreeSet<_> = with(Verdict::Back).map(|(id, _)| *id).collect();
        Told { lost: lost.filter(|id| !back.contains(id)).collect(), back }
    }

    /// These were told.
    pub(super) fn told(&mut self, told: &Told) {
        for id in told.all() {
            self.reached.remove(&id);
            self.orphaning.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lost: &[NodeId], back: &[NodeId]) -> Told {
        Told { lost: lost.iter().copied().collect(), back: back.iter().copied().collect() }
    }

    #[test]
    fn who_is_lost_or_back_together_is_told_together() {
        for (verdict, both) in [(Verdict::Lost, told(&[4, 5], &[])), (Verdict::Back, told(&[], &[4, 5]))] {
            let (rule, now) = (Rule::default(), Instant::now());
            let mut verdicts = Verdicts::default();
            verdicts.reach(4, Some(verdict), now);
            let soon = now + Duration::from_millis(60);
            assert!(verdicts.due(true, soon, &rule).is_empty(), "another hangs in the balance");
            verdicts.reach(5, Some(verdict), soon);
            let due = verdicts.due(false, soon, &rule);
            assert_eq!(due, both);
            verdicts.told(&due);
            assert!(verdicts.due(false, soon, &rule).is_empty());
        }
    }

    #[test]
    fn nobody_is_waited_for_longer_than_half_a_silence() {
        let (rule, now) = (Rule::default(), Instant::now());
        let mut verdicts = Verdicts::default();
        verdicts.reach(4, Some(Verdict::Lost), now);
        let just_before = now + rule.lost_after / 2 - Duration::from_millis(1);
        verdicts.reach(4, Some(Verdict::Lost), just_before);
        assert!(verdicts.due(true, just_before, &rule).is_empty());
        assert_eq!(verdicts.due(true, now + rule.lost_after / 2, &rule), told(&[4], &[]));
    }

    #[test]
    fn an_answer_takes_back_what_was_not_told_yet() {
        let (rule, now) = (Rule::default(), Instant::now());
        let mut verdicts = Verdicts::default();
        verdicts.reach(4, Some(Verdict::Lost), now);
        verdicts.reach(4, None, now);
        assert!(verdicts.due(false, now, &rule).is_empty() && !verdicts.has(4));
    }

    #[test]
    fn whose_addresses_nobody_has_is_lost_again_unless_it_comes_back() {
        let (rule, now) = (Rule::default(), Instant::now());
        let mut verdicts = Verdicts::default();
        verdicts.find(&[4, 5].into(), now);
        verdicts.find(&[4, 5].into(), now + GRACE / 2);
        assert!(verdicts.due(false, now + GRACE / 2, &rule).is_empty());
        verdicts.reach(5, Some(Verdict::Back), now + GRACE);
        assert_eq!(verdicts.due(false, now + GRACE, &rule), told(&[4], &[5]));
        verdicts.find(&BTreeSet::new(), now + GRACE);
        assert_eq!(verdicts.due(false, now + GRACE * 2, &rule), told(&[], &[5]));
    }
}
