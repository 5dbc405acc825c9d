//! Which commands are late. A leader that was replaced may still send; its commands carry a lower fence. Of one leader
//! a session's older version may come after a newer one. Closed sessions are remembered for a while, so that a late
//! command does not bring them back.

use std::collections::{BTreeMap, VecDeque};

use mangrove_proto::common::Fence;

/// How long a closed session is remembered: longer than any command is repeated.
const REMEMBERED_US: u64 = 300_000_000;

/// What becomes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It counts from now on.
    Taken,
    /// A newer one of the same leader's went before it: it changes nothing.
    Late,
    /// Its leader was replaced: it changes nothing.
    Deposed,
}

/// A leader of a tenant: cluster incarnation, tenant epoch, term.
type Leader = (u64, u64, u64);

/// The newest command seen, by tenant and by session.
#[derive(Debug, Default)]
pub struct Fences {
    leaders: BTreeMap<String, Leader>,
    sessions: BTreeMap<(String, String), Newest>,
    closed: VecDeque<(u64, (String, String))>,
}

#[derive(Debug, Clone, Copy)]
struct Newest {
    leader: Leader,
    index: u64,
    version: u64,
    /// Set when the session was closed and not opened again.
    closed_us: Option<u64>,
}

impl Fences {
    /// Judges a command and remembers it when it is in time. The same again is in time.
    pub fn admit(
        &mut self,
        tenant: &str,
        session: &str,
        fence: Fence,
        version: u64,
        now_us: u64,
    ) -> Admission {
        self.forget(now_us);
        let leader = (fence.incarnation, fence.tenant_epoch, fence.term);
        if self.leaders.get(tenant).is_some_and(|newest| leader < *newest) {
            return Admission::Deposed;
        }
        let key = (tenant.to_owned(), session.to_owned());
        let is_late = self.sessions.get(&key).is_some_and(|newest| {
            (leader, fence.index) < (newest.leader, newest.index) || version < newest.version
        });
        if is_late {
            return Admission::Late;
        }
        self.leaders.insert(tenant.to_owned(), leader);
        self.sessions.insert(key, Newest { leader, index: fence.index, version, closed_us: None });
        Admission::Taken
    }

    /// Whether nothing newer was admitted since.
    pub fn is_newest(&self, tenant: &str, session: &str, version: u64) -> bool {
        let newest = self.sessions.get(&(tenant.to_owned(), session.to_owned()));
        newest.is_some_and(|newest| newest.version == version)
    }

    /// The session is closed: it is remembered, but not for ever.
    pub fn closed(&mut self, tenant: &str, session: &str, now_us: u64) {
        let key = (tenant.to_owned(), session.to_owned());
        if let Some(newest) = self.sessions.get_mut(&key) {
            newest.closed_us = Some(now_us);
            self.closed.push_back((now_us, key));
        }
    }

    fn forget(&mut self, now_us: u64) {
        while let Some((at, _)) = self.closed.front()
            && now_us.saturating_sub(*at) >= REMEMBERED_US
        {
            let Some((at, key)) = self.closed.pop_front() else { return };
            if self.sessions.get(&key).is_some_and(|newest| newest.closed_us == Some(at)) {
                self.sessions.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(incarnation: u64, tenant_epoch: u64, term: u64, index: u64) -> Fence {
        Fence { incarnation, tenant_epoch, term, index }
    }

    #[test]
    fn fences_are_compared_field_by_field() {
        let cases = [
            (fence(1, 1, 5, 10), 1, Admission::Taken, "the first"),
            (fence(1, 1, 5, 10), 1, Admission::Taken, "the same again"),
            (fence(1, 1, 5, 11), 2, Admission::Taken, "a later entry"),
            (fence(1, 1, 5, 10), 3, Admission::Late, "an earlier entry"),
            (fence(1, 1, 6, 3), 3, Admission::Taken, "a later leader"),
            (fence(1, 1, 5, 99), 4, Admission::Deposed, "the former leader"),
            (fence(1, 2, 1, 1), 4, Admission::Taken, "the tenant's new group"),
            (fence(1, 1, 9, 9), 5, Admission::Deposed, "its former group"),
            (fence(2, 1, 1, 1), 5, Admission::Taken, "a restored cluster"),
            (fence(1, 9, 9, 9), 6, Admission::Deposed, "the cluster before it"),
            (fence(2, 1, 1, 2), 4, Admission::Late, "a lower version"),
        ];
        let mut fences = Fences::default();
        for (fence, version, expected, name) in cases {
            assert_eq!(fences.admit("acme", "call", fence, version, 0), expected, "{name}");
        }
    }

    #[test]
    fn a_former_leader_is_late_for_sessions_that_its_heir_has_not_touched() {
        let mut fences = Fences::default();
        fences.admit("acme", "a", fence(1, 1, 5, 1), 1, 0);
        fences.admit("acme", "b", fence(1, 1, 6, 1), 1, 0);
        assert_eq!(fences.admit("acme", "a", fence(1, 1, 5, 2), 2, 0), Admission::Deposed);
        assert_eq!(fences.admit("other", "a", fence(1, 1, 5, 2), 2, 0), Admission::Taken);
    }

    #[test]
    fn closed_sessions_stay_closed_for_late_commands_and_are_forgotten() {
        let mut fences = Fences::default();
        fences.admit("acme", "call", fence(1, 1, 1, 9), 7, 0);
        fences.closed("acme", "call", 0);
        assert_eq!(fences.admit("acme", "call", fence(1, 1, 1, 8), 6, 1_000_000), Admission::Late);
        assert_eq!(fences.admit("acme", "other", fence(1, 1, 1, 9), 1, REMEMBERED_US), Admission::Taken);
        assert_eq!(fences.sessions.len(), 1);
    }

    #[test]
    fn only_the_newest_version_is_carried_out() {
        let mut fences = Fences::default();
        fences.admit("acme", "call", fence(1, 1, 1, 1), 1, 0);
        fences.admit("acme", "call", fence(1, 1, 1, 2), 2, 0);
        assert!(!fences.is_newest("acme", "call", 1));
        assert!(fences.is_newest("acme", "call", 2));
    }
}
