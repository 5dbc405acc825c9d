//! Whether something new may begin. Load is refused here, where a refusal is cheap, and never absorbed behind.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mangrove_proto::service::Routes;

use crate::{metrics::UNANSWERED_INVITES, options::Limits};

/// Why nothing new is begun now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overload {
    Draining,
    /// Control is behind.
    Lag,
    /// Too many INVITEs wait for their first answer.
    Unanswered,
    /// Too many events of the group wait for control.
    Events,
    /// Not every tenant is known here yet.
    Unready,
    /// Control takes nothing.
    Unreached,
}

impl Overload {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Lag => "lag",
            Self::Unanswered => "unanswered",
            Self::Events => "events",
            Self::Unready => "unready",
            Self::Unreached => "unreached",
        }
    }

    /// Seconds after which a caller may try again: spread, so that they do not all come back at once.
    pub(crate) fn retry_after(self) -> u32 {
        match self {
            Self::Draining => rand::random_range(30..=60),
            Self::Lag | Self::Unanswered | Self::Events | Self::Unready | Self::Unreached => {
                rand::random_range(2..=10)
            }
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Admission {
    draining: AtomicBool,
    unanswered: AtomicUsize,
}

impl Admission {
    /// Whether nothing new begins from now on.
    pub(crate) fn refuse_new(&self, refuse: bool) {
        self.draining.store(refuse, Ordering::Relaxed);
    }

    /// Whether nothing new begins now.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// What speaks against anything new, before it is known whose it is.
    pub(crate) fn overload(&self, routes: &dyn Routes, limits: &Limits) -> Option<Overload> {
        if self.is_draining() {
            return Some(Overload::Draining);
        }
        if self.unanswered() >= limits.unanswered_invites {
            return Some(Overload::Unanswered);
        }
        (routes.lag_ms() > limits.lag_ms).then_some(Overload::Lag)
    }

    /// INVITEs that control was given and that nothing answered yet.
    pub(crate) fn unanswered(&self) -> usize {
        self.unanswered.load(Ordering::Relaxed)
    }

    pub(crate) fn begun(&self) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!(UNANSWERED_INVITES).increment(1);
    }

    pub(crate) fn answered(&self, count: usize) {
        self.unanswered.fetch_sub(count, Ordering::Relaxed);
        metrics::gauge!(UNANSWERED_INVITES).decrement(count as f64);
    }
}
