//! When what could not be mailed is tried again: soon at first, later ever more seldom.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use mangrove_control::Mail;
use mangrove_domain::mailbox::Errand;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// Tenant, box, number.
type Key = (String, String, u64);

/// Those that failed, and those that are done with, until that is noted.
#[derive(Debug, Default)]
pub(super) struct Tries(BTreeMap<Key, Try>);

#[derive(Debug)]
struct Try {
    /// When it is its turn again.
    at: Instant,
    /// How long it waits for that.
    wait: Duration,
    /// Nothing is to be sent any more.
    is_settled: bool,
}

fn key(errand: &Errand) -> Key {
    (errand.tenant.to_string(), errand.place.mailbox.to_string(), errand.place.number)
}

impl Tries {
    /// Forgets all but these.
    pub(super) fn keep(&mut self, due: &[Mail]) {
        self.0.retain(|known, _| due.iter().any(|mail| key(&mail.errand) == *known));
    }

    pub(super) fn is_due(&self, errand: &Errand, now: Instant) -> bool {
        self.0.get(&key(errand)).is_none_or(|last| last.at <= now)
    }

    /// Whether a server has taken it, or it was given up.
    pub(super) fn is_settled(&self, errand: &Errand) -> bool {
        self.0.get(&key(errand)).is_some_and(|last| last.is_settled)
    }

    pub(super) fn failed(&mut self, errand: &Errand, now: Instant) {
        let last = self.0.get(&key(errand));
        let wait = last.map_or(FIRST, |last| (last.wait * 2).min(LONGEST));
        self.0.insert(key(errand), Try { at: now + wait, wait, is_settled: false });
    }

    /// It is not sent again; where it stays due, that is to be noted again.
    pub(super) fn settled(&mut self, errand: &Errand, now: Instant) {
        self.0.insert(key(errand), Try { at: now + FIRST, wait: FIRST, is_settled: true });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::letter::tests::errand;

    #[test]
    fn what_fails_is_tried_again_ever_more_seldom_and_others_meanwhile() {
        let (one, other, mut tries, start) = (errand(1), errand(2), Tries::default(), Instant::now());
        assert!(tries.is_due(&one, start));
        tries.failed(&one, start);
        assert!(!tries.is_due(&one, start) && tries.is_due(&other, start));
        assert!(tries.is_due(&one, start + FIRST));
        tries.failed(&one, start);
        assert!(!tries.is_due(&one, start + FIRST) && tries.is_due(&one, start + 2 * FIRST));
        (0..20).for_each(|_| tries.failed(&one, start));
        assert!(tries.is_due(&one, start + LONGEST));
        tries.keep(&[Mail { errand: other, to: None, language: String::new() }]);
        assert!(tries.is_due(&one, start), "forgotten");
    }

    #[test]
    fn what_a_server_has_taken_is_only_noted_again() {
        let (one, other, mut tries, start) = (errand(1), errand(2), Tries::default(), Instant::now());
        tries.settled(&one, start);
        assert!(tries.is_settled(&one) && !tries.is_settled(&other));
        assert!(!tries.is_due(&one, start) && tries.is_due(&one, start + FIRST));
        tries.keep(&[Mail { errand: other, to: None, language: String::new() }]);
        assert!(!tries.is_settled(&one), "it is noted");
    }
}
