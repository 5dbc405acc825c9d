//! Whom a group's lead does not go back to yet: who lost it to an election and is taken for well all the same, for its link
//! flaps or its disk stalls. Pure: time comes as an argument.

use std::time::Duration;

use mangrove_raft::NodeId;
use tokio::time::Instant;

/// So long the lead stays with who was elected. Each return to a node that is about to stall again costs two elections.
const HOLD: Duration = Duration::from_secs(30);

/// A node between one start and the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) node: NodeId,
    pub(super) boot: u64,
}

/// What this node has seen of one group's lead.
#[derive(Debug, Default)]
pub(super) struct Lead {
    /// The last other one that led, and its term.
    before: Option<(u64, Life)>,
    own: Option<Own>,
}

#[derive(Debug, Clone, Copy)]
struct Own {
    term: u64,
    since: Instant,
    /// Who led before, as long as the plan wants it there and it has not started again.
    deposed: Option<Life>,
}

impl Lead {
    /// Another one leads. Who has started again may be taken for the leader still: it led in the life that was seen first.
    pub(super) fn is_with(&mut self, term: u64, leader: Option<Life>) {
        let known = self.before.filter(|(seen, _)| *seen == term);
        (self.before, self.own) = (known.or_else(|| leader.map(|leader| (term, leader))), None);
    }

    /// This node leads. Whom it is not to hand the lead to now.
    pub(super) fn is_here(&mut self, now: Instant, term: u64, planned: Option<Life>) -> Option<NodeId> {
        let known = self.own.filter(|own| own.term == term);
        let own = known.unwrap_or(Own { term, since: now, deposed: self.before.map(|(_, life)| life) });
        let deposed = own.deposed.filter(|deposed| planned == Some(*deposed));
        self.own = Some(Own { deposed, ..own });
        deposed.filter(|_| now.duration_since(own.since) < HOLD).map(|deposed| deposed.node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Life = Life { node: 1, boot: 1 };
    const PLANNED: Life = Life { node: 2, boot: 7 };
    const THIRD: Life = Life { node: 3, boot: 1 };

    /// Who led before; seconds, terms and planned leaders as seen; whom the lead is kept from.
    type Case<'t> = (&'t str, Option<Life>, &'t [(u64, u64, Life)], &'t [Option<NodeId>]);

    /// After the lead was another one's: whom it is kept from at each second when the plan is such, in such a term.
    fn kept_from(before: Option<Life>, seen: &[(u64, u64, Life)]) -> Vec<Option<NodeId>> {
        let began = Instant::now();
        let mut lead = Lead::default();
        lead.is_with(4, before);
        let at = |seconds| began + Duration::from_secs(seconds);
        seen.iter().map(|(second, term, planned)| lead.is_here(at(*second), *term, Some(*planned))).collect()
    }

    #[test]
    fn who_lost_the_lead_to_an_election_gets_it_back_after_a_while() {
        let hold = HOLD.as_secs();
        let table: &[Case<'_>] = &[
            (
                "a cable that is out for a second",
                Some(PLANNED),
                &[(0, 5, PLANNED), (hold - 1, 5, PLANNED)],
                &[Some(2); 2],
            ),
            (
                "half a minute is over",
                Some(PLANNED),
                &[(0, 5, PLANNED), (hold, 5, PLANNED)],
                &[Some(2), None],
            ),
            ("elected again", Some(PLANNED), &[(0, 5, PLANNED), (hold, 6, PLANNED)], &[Some(2); 2]),
            ("nobody was seen to lead before", None, &[(0, 5, PLANNED)], &[None]),
            ("a third handed over or died", Some(THIRD), &[(0, 5, PLANNED)], &[None]),
            ("it started again", Some(Life { boot: 6, ..PLANNED }), &[(0, 5, PLANNED)], &[None]),
            ("as planned", Some(PLANNED), &[(0, 5, ME)], &[None]),
            (
                "told lost, and planned again when it is back",
                Some(PLANNED),
                &[(0, 5, PLANNED), (1, 5, ME), (2, 5, PLANNED)],
                &[Some(2), None, None],
            ),
        ];
        for (what, before, seen, expected) in table {
            assert_eq!(kept_from(*before, seen), *expected, "{what}");
        }
    }

    #[test]
    fn who_leads_again_is_deposed_again() {
        let (mut lead, now) = (Lead::default(), Instant::now());
        lead.is_with(4, Some(PLANNED));
        assert_eq!(lead.is_here(now, 5, Some(PLANNED)), Some(2));
        lead.is_with(6, Some(THIRD));
        assert_eq!(lead.is_here(now, 7, Some(PLANNED)), None, "the third held it last");
        lead.is_with(8, Some(PLANNED));
        assert_eq!(lead.is_here(now, 9, Some(PLANNED)), Some(2));
    }

    #[test]
    fn who_starts_again_before_it_is_missed_gets_the_lead_back_at_once() {
        let (mut lead, now) = (Lead::default(), Instant::now());
        lead.is_with(4, Some(PLANNED));
        let again = Life { boot: PLANNED.boot + 1, ..PLANNED };
        lead.is_with(4, Some(again));
        assert_eq!(lead.is_here(now, 5, Some(again)), None);
    }
}
