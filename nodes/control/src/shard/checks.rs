//! What a shard watches over besides its faces: how many calls are in progress, and the invariants.

use std::collections::BTreeSet;

use mangrove_domain::{ObjectRef, State, invariant, view};

use crate::metrics;

/// Commands between two checks of the invariants under load: they walk the whole state.
const EVERY: u64 = 4096;

/// Kept by a shard for its group.
#[derive(Debug)]
pub(super) struct Checks {
    group: u32,
    /// Calls in progress.
    calls: BTreeSet<ObjectRef>,
    /// Commands since the last check.
    since: u64,
    /// A check by time is on its way.
    pub armed: bool,
}

impl Checks {
    pub(super) fn new(group: u32) -> Self {
        Self { group, calls: BTreeSet::new(), since: 0, armed: false }
    }

    /// Counts all anew, when a leadership begins.
    pub(super) fn count_all(&mut self, state: &State) {
        let calls = state.objects().filter(|object| in_progress(state, object));
        self.calls = calls.collect();
        self.show();
    }

    /// Another node's calls are its own to count.
    pub(super) fn count_none(&mut self) {
        self.calls.clear();
        self.show();
    }

    /// Counts the calls that began or ended among these.
    pub(super) fn count(&mut self, state: &State, touched: &BTreeSet<ObjectRef>) {
        let mut changed = false;
        for object in touched.iter().filter(|object| matches!(object, ObjectRef::Call(..))) {
            changed |= match in_progress(state, object) {
                true => self.calls.insert(object.clone()),
                false => self.calls.remove(object),
            };
        }
        if changed {
            self.show();
        }
    }

    /// Notes commands; true when the invariants should be checked now.
    pub(super) fn note(&mut self, commands: u64) -> bool {
        self.since += commands;
        self.since >= EVERY
    }

    /// Invariants are checked in production too; a broken one is an alarm, never a crash.
    pub(super) fn check(&mut self, state: &State) {
        if std::mem::take(&mut self.since) == 0 {
            return;
        }
        for violation in invariant::check(state) {
            metrics::violated(violation.id);
            let (invariant, what) = (violation.id, violation.what);
            tracing::error!(group = self.group, invariant, what, "invariant broken");
        }
    }

    fn show(&self) {
        metrics::calls(self.group, self.calls.len());
    }
}

fn in_progress(state: &State, object: &ObjectRef) -> bool {
    let tenant = state.tenant(object.tenant());
    matches!(object, ObjectRef::Call(..))
        && tenant.is_some_and(|tenant| view::object(tenant, object, 0, 0).is_some())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tests::house::House;

    #[tokio::test(flavor = "multi_thread")]
    async fn calls_are_counted_as_they_begin_and_end() {
        let folder = tempfile::tempdir().unwrap();
        let house = House::with_companies(folder.path()).await;
        let mut checks = Checks::new(1);
        let count = |checks: &mut Checks| {
            let state = house.group(1).shared.get().state;
            checks.count(&state, &state.objects().collect());
            checks.calls.len()
        };
        assert_eq!(count(&mut checks), 0);
        house.call_in(1).await;
        house.call_in(2).await;
        assert_eq!(count(&mut checks), 2);
        house.cancel(1).await;
        assert_eq!(
            count(&mut checks),
            1,
            "a call that is over counts no more, though it is kept for a while"
        );
        let mut anew = Checks::new(1);
        anew.count_all(&house.group(1).shared.get().state);
        assert_eq!(anew.calls, checks.calls);
        house.close().await;
    }
}
