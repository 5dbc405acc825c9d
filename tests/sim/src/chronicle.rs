//! What happened, in order: a hash that tells two runs apart, and the last lines for whoever looks into a failure.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::time;

/// Lines kept for a failure.
const KEPT: usize = 4_000;

/// Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Chronicle(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    hash: DefaultHasher,
    events: u64,
    lines: VecDeque<String>,
    /// What must not be, in the order in which it was seen.
    broken: Vec<String>,
    told: bool,
}

impl Chronicle {
    /// One that keeps lines too.
    pub(crate) fn telling(told: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner { told, ..Inner::default() })))
    }

    /// Counts an event that no reader wants to see.
    pub(crate) fn count(&self, what: impl Hash) {
        let inner = &mut *self.0.lock();
        (time::now(), what).hash(&mut inner.hash);
        inner.events += 1;
    }

    /// Notes an event by what makes it that event.
    pub(crate) fn note(&self, what: impl Hash, line: impl FnOnce() -> String) {
        self.count(what);
        let mut inner = self.0.lock();
        if inner.told {
            let line = format!("{:>6} {}", time::now(), line());
            inner.keep(line);
        }
    }

    /// Notes an event that one line says all of.
    pub(crate) fn say(&self, line: impl FnOnce() -> String) {
        let line = line();
        self.note(&line, || line.clone());
    }

    /// A line for readers only.
    pub(crate) fn tell(&self, line: &str) {
        let mut inner = self.0.lock();
        if inner.told {
            let line = format!("{:>6} {line}", time::now());
            inner.keep(line);
        }
    }

    /// Notes that an invariant does not hold.
    pub(crate) fn broken(&self, what: String) {
        self.say(|| format!("BROKEN {what}"));
        let mut inner = self.0.lock();
        if !inner.broken.contains(&what) {
            inner.broken.push(what);
        }
    }

    /// What was broken first.
    pub(crate) fn first_broken(&self) -> Option<String> {
        self.0.lock().broken.first().cloned()
    }

    /// The hash of all events, and how many there were.
    pub(crate) fn sum(&self) -> (u64, u64) {
        let inner = self.0.lock();
        (inner.hash.finish(), inner.events)
    }

    /// The lines kept.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().lines.iter().cloned().collect()
    }
}

impl Inner {
    fn keep(&mut self, line: String) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}
