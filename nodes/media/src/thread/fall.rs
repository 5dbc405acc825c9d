//! A panic over one call must not silence the thread's others. Whatever the thread does, it does for one endpoint or one
//! session at a time; when it falls over that, the session's sockets are closed, control is told, and the thread goes on.
//! Whoever sent what it fell over may send it again: that ends their own call at last, and no other.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{Plan, endpoint::Endpoint, reconcile::Session, worker::Worker};
use crate::metrics::FALLS;

/// What a thread fell over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fallen {
    /// The session of this number: its endpoints are closed.
    Session(u64),
    /// The thread itself: it runs no more.
    Thread,
}

impl Worker {
    /// Works on an endpoint. None: the thread fell over it, and its session is closed.
    pub(super) fn with<T>(&mut self, index: usize, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            super::tests::spring(self, index);
            work(self)
        }));
        if outcome.is_err() {
            let number =
                self.sessions.iter().find(|(_, session)| session.has(index)).map(|(number, _)| *number);
            self.expel(number);
        }
        outcome.ok()
    }

    /// Makes a session what is wanted; when the thread falls over that, only its recording stays.
    pub(super) fn try_set(&mut self, plan: Plan) {
        let (number, rest) = (plan.number, Session::rest(&plan));
        if catch_unwind(AssertUnwindSafe(|| self.set(plan))).is_err() {
            self.sessions.insert(number, rest);
            self.expel(Some(number));
        }
    }

    /// As `try_set`.
    pub(super) fn try_close(&mut self, number: u64, goes_on: bool) {
        if catch_unwind(AssertUnwindSafe(|| self.close(number, goes_on))).is_err() {
            self.expel(Some(number));
        }
    }

    /// All sessions in a conference that the thread fell over.
    pub(super) fn drop_conference(&mut self, number: u64) {
        self.conferences.remove(&number);
        let is_in = |endpoint: &Endpoint| endpoint.seat.is_some_and(|seat| seat.conference == number);
        let has = |session: &Session| session.indices().any(|at| self.endpoints.get(at).is_some_and(is_in));
        let hit = self.sessions.iter().filter(|(_, session)| has(session)).map(|(number, _)| *number);
        for session in hit.collect::<Vec<u64>>() {
            self.expel(Some(session));
        }
    }

    /// Closes the session's endpoints, and those that were left without one.
    fn expel(&mut self, number: Option<u64>) {
        metrics::counter!(FALLS).increment(1);
        tracing::error!(
            session = number,
            "a media thread fell over a session and drops it; the others go on"
        );
        if let Some(session) = number.and_then(|number| self.sessions.get_mut(&number)) {
            session.lose_endpoints();
        }
        let known: BTreeSet<usize> = self.sessions.values().flat_map(Session::indices).collect();
        for index in (0..self.endpoints.end()).filter(|index| !known.contains(index)) {
            self.drop_endpoint(index);
        }
        if let Some(number) = number {
            self.tell(Fallen::Session(number));
        }
    }

    fn tell(&self, fallen: Fallen) {
        // Nobody hears it when the node stops.
        let _ = self.surroundings.fallen.send(fallen);
    }
}
