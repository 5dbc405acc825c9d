//! How long commands wait on their way through a group, as the measure of overload. Only who leads measures, and tells the
//! others: that a group changes its leader is no overload, and whoever waits for the next one is not turned away for it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// How far behind the group is: milliseconds since `origin`, so that nobody waits for a lock.
#[derive(Debug)]
pub(super) struct Lag {
    origin: Instant,
    /// What the last commit took, and when that was.
    last_ms: AtomicU64,
    at_ms: AtomicU64,
    /// Since when the oldest command of the oldest entry on its way waits; [`NOTHING`] while there is none.
    since_ms: AtomicU64,
}

const NOTHING: u64 = u64::MAX;

impl Lag {
    pub(super) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { origin: Instant::now(), last_ms: zero(), at_ms: zero(), since_ms: AtomicU64::new(NOTHING) }
    }

    pub(super) fn begin(&self, oldest: Option<Instant>) {
        let since = oldest.map_or(NOTHING, |since| since.duration_since(self.origin).as_millis() as u64);
        self.since_ms.store(since, Ordering::Relaxed);
    }

    pub(super) fn end(&self, oldest: Option<Instant>) {
        let took = oldest.map_or(0, |since| since.elapsed().as_millis() as u64);
        self.last_ms.store(took, Ordering::Relaxed);
        self.at_ms.store(self.now(), Ordering::Relaxed);
        self.since_ms.store(NOTHING, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.origin.elapsed().as_millis() as u64
    }

    /// A disk that hangs shows by what is on its way; old measurements count no more.
    pub(super) fn ms(&self) -> u64 {
        let now = self.now();
        let waits = match self.since_ms.load(Ordering::Relaxed) {
            NOTHING => 0,
            since => now.saturating_sub(since),
        };
        let fresh = now.saturating_sub(self.at_ms.load(Ordering::Relaxed)) <= 1_000;
        waits.max(if fresh { self.last_ms.load(Ordering::Relaxed) } else { 0 })
    }
}

/// Since when this node leads.
#[derive(Debug, Default)]
pub(super) struct Tenure {
    term: u64,
    since: Option<Instant>,
}

impl Tenure {
    /// Whether what was measured last was of this term.
    pub(super) fn is_of(&self, term: u64) -> bool {
        self.since.is_some() && self.term == term
    }

    /// Since when a command that came at `oldest` waits for the leader of this term.
    pub(super) fn waits(&mut self, term: u64, oldest: Option<Instant>) -> Option<Instant> {
        if self.since.is_none() || self.term != term {
            *self = Self { term, since: Some(Instant::now()) };
        }
        oldest.max(self.since.filter(|_| oldest.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Lag, Tenure};
    use std::time::{Duration, Instant};

    #[test]
    fn a_commit_that_hangs_counts_from_when_its_oldest_command_came() {
        let lag = Lag::new();
        assert_eq!(lag.ms(), 0, "nothing waits");
        let came = Instant::now();
        lag.begin(Some(came));
        // Both ends of a measurement are cut to whole milliseconds.
        let waited = Duration::from_millis(29);
        while lag.ms() < 30 {
            assert!(came.elapsed() < waited + Duration::from_secs(5), "{} ms though it waits", lag.ms());
            std::thread::yield_now();
        }
        assert!(came.elapsed() >= waited, "{} ms after {:?}", lag.ms(), came.elapsed());
        lag.end(Some(came));
        assert!(lag.ms() >= 29, "what the last one took still counts");
    }

    #[test]
    fn what_waited_for_an_election_does_not_count_as_overload() {
        let (came, mut tenure) = (Instant::now(), Tenure::default());
        while Instant::now() == came {}
        let began = tenure.waits(3, Some(came)).expect("a command waits");
        assert!(began > came, "it waited for somebody to lead");
        let later = Instant::now();
        assert_eq!(tenure.waits(3, Some(later)), Some(later));
        assert!(tenure.waits(5, Some(later)) > Some(later), "the lead was lost in between");
        assert_eq!(tenure.waits(5, None), None);
    }
}
