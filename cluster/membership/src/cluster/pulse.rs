//! When a silent member counts as lost, and when an answering one as back. Pure: time comes as an argument.
//!
//! Lost: nothing heard for `lost_after`, and at least two pings in a row failed, so that a pause of the asking node
//! itself condemns nobody; or two pings in a row refused by its machine, which says that the process is gone. The silence
//! that made an election counts for the leader that was followed until then. Back: `back_after` answers in a row, and four
//! times as many for each time that the member was lost lately but the last, so that one which comes and goes stays away.
//! Whoever was started just now excuses members for a while that it has not heard of yet: all may be starting.

use std::time::Duration;

use tokio::time::Instant;

use crate::options::Pulse as Rule;

const FAILURES: u32 = 2;
/// Answers from a member that was lost often: 3 become 48.
const MOST: u32 = 16;
/// So long after its own start a node takes it that others are starting too, as after a power cut. Whom it counted as lost
/// then would lose calls that it is about to carry on.
const YOUNG: Duration = Duration::from_secs(5);

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Lost,
    Back,
}

/// What came of a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ping {
    Answered,
    /// Nobody listens there.
    Refused,
    Silent,
}

/// What the leader remembers of a member's answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pulse {
    heard: Instant,
    failed: u32,
    refused: u32,
    answered: u32,
    /// Not lost before then, unless it answers first.
    excused: Option<Instant>,
}

impl Pulse {
    /// Of a member that whoever leads now asks for the first time; `began` is when the asking process was started.
    pub(super) fn first(was_followed: bool, began: Instant, now: Instant, rule: &Rule) -> Self {
        match was_followed {
            true => Self::deposed(now, rule),
            false if now < began + YOUNG => Self::excused(now, began + YOUNG),
            false => Self::new(now),
        }
    }

    /// A member that has not been asked yet: it gets the benefit of the doubt.
    fn new(now: Instant) -> Self {
        Self { heard: now, failed: 0, refused: 0, answered: 0, excused: None }
    }

    /// As `new`, asked by a node that was started just now itself.
    fn excused(now: Instant, until: Instant) -> Self {
        Self { excused: Some(until), ..Self::new(now) }
    }

    /// The leader whom this node followed until it was elected itself: an election is longer than half of `lost_after`, and
    /// nothing was heard meanwhile. One that has handed the lead over answers the first ping.
    fn deposed(now: Instant, rule: &Rule) -> Self {
        Self { heard: now.checked_sub(rule.lost_after / 2).unwrap_or(now), failed: 1, ..Self::new(now) }
    }

    /// Takes the outcome of a ping.
    pub(super) fn ping(&mut self, ping: Ping, now: Instant) {
        if ping == Ping::Answered {
            (self.heard, self.failed, self.answered) = (now, 0, self.answered + 1);
            self.excused = None;
        } else {
            (self.failed, self.answered) = (self.failed + 1, 0);
        }
        self.refused = if ping == Ping::Refused { self.refused + 1 } else { 0 };
    }

    /// What follows for a member that stands as `alive` and was lost so often lately.
    pub(super) fn judge(&self, alive: bool, falls: u32, now: Instant, rule: &Rule) -> Option<Verdict> {
        let longer = 4u32.saturating_pow(falls.saturating_sub(1)).min(MOST);
        let silent = now.duration_since(self.heard) >= rule.lost_after && self.failed >= FAILURES;
        match alive {
            true if self.excused.is_some_and(|until| now < until) => None,
            true if silent || self.refused >= FAILURES => Some(Verdict::Lost),
            false if self.answered >= rule.back_after * longer => Some(Verdict::Back),
            _ => None,
        }
    }

    /// Whether the last ping speaks against how the member stands, and no verdict follows yet.
    pub(super) fn hangs_in_the_balance(&self, alive: bool) -> bool {
        if alive { self.failed > 0 } else { self.answered > 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pings of one member: `+` answered, `-` silent, `x` refused; 250 ms apart, or as many as told.
    fn verdicts(start_alive: bool, beats: &[(char, u64)]) -> Vec<(usize, Verdict)> {
        let rule = Rule::default();
        let (mut now, mut falls) = (Instant::now(), 0);
        let (mut pulse, mut alive, mut told) = (Pulse::new(now), start_alive, Vec::new());
        for (at, (outcome, after)) in beats.iter().enumerate() {
            now += Duration::from_millis(*after);
            let ping = match outcome {
                '+' => Ping::Answered,
                'x' => Ping::Refused,
                _ => Ping::Silent,
            };
            pulse.ping(ping, now);
            if let Some(verdict) = pulse.judge(alive, falls, now, &rule) {
                alive = verdict == Verdict::Back;
                falls += u32::from(!alive);
                told.push((at, verdict));
            }
        }
        told
    }

    fn even(outcomes: &str) -> Vec<(char, u64)> {
        outcomes.chars().map(|outcome| (outcome, 250)).collect()
    }

    /// What happens, whether the member is alive before, its pings; the verdicts, each with its ping's place.
    type Case<'t> = (&'t str, bool, Vec<(char, u64)>, &'t [(usize, Verdict)]);

    #[test]
    fn silence_loses_and_steady_answers_bring_back() {
        use Verdict::{Back, Lost};
        let table: &[Case<'_>] = &[
            ("all is well", true, even("++++++"), &[]),
            ("slow once", true, even("++-+++"), &[]),
            ("slow for less than a second", true, even("++---++"), &[]),
            ("silent for a second", true, even("++----"), &[(5, Lost)]),
            ("one failure after a long pause of ours", true, vec![('+', 250), ('-', 5_000), ('+', 250)], &[]),
            ("every other answer fails", true, even("+-+-+-+-+-+-"), &[]),
            ("two hanging pings", true, vec![('+', 250), ('-', 500), ('-', 500)], &[(2, Lost)]),
            ("refused once, as while it is started again", true, even("++x++"), &[]),
            ("refused twice: the process is gone", true, even("++xx"), &[(3, Lost)]),
            ("back after three answers", false, even("--+++"), &[(4, Back)]),
            ("answers with a gap do not bring back", false, even("++-++-+"), &[]),
            (
                "who comes and goes stays away longer",
                true,
                even("+----+++----+++++++----++++++++++++"),
                &[(4, Lost), (7, Back), (11, Lost), (34, Back)],
            ),
        ];
        for (what, alive, beats, expected) in table {
            assert_eq!(verdicts(*alive, beats), *expected, "{what}");
        }
    }

    #[test]
    fn one_unanswered_ping_more_loses_a_deposed_leader_and_an_answer_clears_it() {
        let (rule, start) = (Rule::default(), Instant::now());
        let hangs = rule.lost_after / 2;
        let mut gone = Pulse::deposed(start, &rule);
        assert_eq!(gone.judge(true, 0, start, &rule), None, "it was not asked yet");
        gone.ping(Ping::Silent, start + hangs);
        assert_eq!(gone.judge(true, 0, start + hangs, &rule), Some(Verdict::Lost));
        let mut there = Pulse::deposed(start, &rule);
        there.ping(Ping::Answered, start);
        there.ping(Ping::Silent, start + hangs);
        assert_eq!(there.judge(true, 0, start + hangs, &rule), None);
    }

    #[test]
    fn who_is_still_starting_is_excused_until_it_answers_or_the_time_is_up() {
        let (rule, start) = (Rule::default(), Instant::now());
        let after = |ms| start + Duration::from_millis(ms);
        let judged = |pings: &[(Ping, u64)]| {
            let (mut pulse, mut now) = (Pulse::excused(start, after(5_000)), start);
            for (ping, at) in pings {
                now = after(*at);
                pulse.ping(*ping, now);
            }
            pulse.judge(true, 0, now, &rule)
        };
        assert_eq!(judged(&[(Ping::Refused, 100), (Ping::Refused, 200)]), None);
        assert_eq!(judged(&[(Ping::Silent, 450), (Ping::Silent, 4_900)]), None);
        assert_eq!(judged(&[(Ping::Silent, 4_000), (Ping::Silent, 5_000)]), Some(Verdict::Lost));
        let answered = [(Ping::Answered, 100), (Ping::Refused, 200), (Ping::Refused, 300)];
        assert_eq!(judged(&answered), Some(Verdict::Lost), "it was there");
    }

    #[test]
    fn only_who_was_started_just_now_excuses_and_never_the_leader_it_followed() {
        let (rule, began) = (Rule::default(), Instant::now());
        let lost_at_once = |was_followed, age| {
            let now = began + age;
            let mut pulse = Pulse::first(was_followed, began, now, &rule);
            pulse.ping(Ping::Refused, now);
            pulse.ping(Ping::Refused, now);
            pulse.judge(true, 0, now, &rule) == Some(Verdict::Lost)
        };
        let just_before = YOUNG - Duration::from_millis(1);
        assert_eq!([just_before, YOUNG].map(|age| lost_at_once(false, age)), [false, true]);
        assert!(lost_at_once(true, Duration::ZERO), "it was heard of before");
    }
}
