//! Rules that tests break on purpose, to see the invariants and the quarantine at work. Outside of tests nothing is
//! ever broken.

/// Whether agents may be offered a call though another has them.
pub(crate) fn ignores_reservations() -> bool {
    switch::reservations_are_ignored()
}

/// Panics if a test wants the message in hand to be poison.
pub(crate) fn swallow_poison() {
    assert!(!switch::is_poisoned(), "poison");
}

/// Panics if a test wants the taking out of a call to fail too.
pub(crate) fn swallow_poison_in_quarantine() {
    assert!(!switch::quarantine_is_poisoned(), "poison in quarantine");
}

#[cfg(not(test))]
mod switch {
    pub(super) fn reservations_are_ignored() -> bool {
        false
    }

    pub(super) fn is_poisoned() -> bool {
        false
    }

    pub(super) fn quarantine_is_poisoned() -> bool {
        false
    }
}

#[cfg(test)]
mod switch {
    use std::cell::Cell;

    use crate::tests::{POISON, QUARANTINE_POISON, RESERVATIONS_IGNORED};

    pub(super) fn reservations_are_ignored() -> bool {
        RESERVATIONS_IGNORED.with(Cell::get)
    }

    pub(super) fn is_poisoned() -> bool {
        POISON.with(Cell::get)
    }

    pub(super) fn quarantine_is_poisoned() -> bool {
        QUARANTINE_POISON.with(Cell::get)
    }
}
