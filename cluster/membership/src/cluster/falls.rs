//! How often members were lost lately. Every node sees it in the directory, whoever told so: who comes and goes takes the
//! lead of group 0 with it each time, and what its leader remembers. Pure: time comes as an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use mangrove_raft::NodeId;
use tokio::time::Instant;

use crate::directory::Member;

/// A member that has stood for so long begins anew.
const FORGIVEN: Duration = Duration::from_secs(60);

/// What this node has seen of all members.
#[derive(Debug, Default)]
pub(super) struct Falls(BTreeMap<NodeId, Seen>);

/// One member since it was started last.
#[derive(Debug, Clone, Copy)]
struct Seen {
    boot: u64,
    /// Since when it stands; none while it is lost.
    stands: Option<Instant>,
    falls: u32,
}

impl Falls {
    /// Takes how the members stand. To be called often: two changes in between are none.
    pub(super) fn see<'m>(&mut self, members: impl Iterator<Item = &'m Member>, now: Instant) {
        let before = std::mem::take(&mut self.0);
        self.0 = members.map(|member| (member.id, seen(before.get(&member.id), member, now))).collect();
    }

    /// How often the member was lost and did not stand for a minute afterwards.
    pub(super) fn recent(&self, id: NodeId, now: Instant) -> u32 {
        self.0.get(&id).map_or(0, |seen| seen.recent(now))
    }
}

fn seen(before: Option<&Seen>, member: &Member, now: Instant) -> Seen {
    let Member { boot, alive, .. } = *member;
    let before = before.filter(|before| before.boot == boot);
    let stands = alive.then(|| before.and_then(|before| before.stands).unwrap_or(now));
    let fell = !alive && before.is_some_and(|before| before.stands.is_some());
    Seen { boot, stands, falls: before.map_or(0, |before| before.recent(now)) + u32::from(fell) }
}

impl Seen {
    fn recent(&self, now: Instant) -> u32 {
        let is_forgiven = self.stands.is_some_and(|since| now.duration_since(since) >= FORGIVEN);
        if is_forgiven { 0 } else { self.falls }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Falls that count after a member was seen at these seconds, in such a life, alive or not.
    fn falls(seen: &[(u64, u64, bool)]) -> u32 {
        let (mut falls, mut now) = (Falls::default(), Instant::now());
        let began = now;
        for (second, boot, alive) in seen {
            now = began + Duration::from_secs(*second);
            let member = Member { id: 7, boot: *boot, alive: *alive, ..Member::default() };
            falls.see([&member].into_iter(), now);
        }
        falls.recent(7, now)
    }

    /// What happens, how the member is seen, falls that count.
    type Case<'t> = (&'t str, &'t [(u64, u64, bool)], u32);

    #[test]
    fn who_is_lost_again_before_it_stood_for_a_minute_has_fallen_once_more() {
        let table: &[Case<'_>] = &[
            ("never lost", &[(0, 1, true), (1, 1, true)], 0),
            ("lost when it is seen first", &[(0, 1, false)], 0),
            ("lost", &[(0, 1, true), (1, 1, false), (2, 1, false)], 1),
            ("lost again", &[(0, 1, true), (1, 1, false), (2, 1, true), (3, 1, false), (4, 1, true)], 2),
            ("lost for longer than a minute", &[(0, 1, true), (1, 1, false), (90, 1, false)], 1),
            ("back for less than a minute", &[(0, 1, true), (1, 1, false), (90, 1, true), (149, 1, true)], 1),
            ("it has stood for a minute", &[(0, 1, true), (1, 1, false), (90, 1, true), (150, 1, true)], 0),
            ("and is lost then", &[(0, 1, true), (1, 1, false), (90, 1, true), (150, 1, false)], 1),
            ("started again", &[(0, 1, true), (1, 1, false), (2, 2, false), (3, 2, true)], 0),
        ];
        for (what, seen, expected) in table {
            assert_eq!(falls(seen), *expected, "{what}");
        }
    }
}
