//! Whether the wall clock may be believed. Deleting is for ever, and a clock that jumped forward makes everything old.

use std::time::{Duration, Instant};

/// The wall clock may differ this much from what passed on the monotonic one since the last look.
const TOLERANCE_MS: u64 = 10 * 60 * 1_000;
/// So far it may be ahead of the newest time known from before the start.
const AHEAD_MS: u64 = 7 * 24 * 3_600 * 1_000;
/// How long nothing is deleted under a clock that gave cause for doubt: time for a person to look.
const DOUBT: Duration = Duration::from_secs(24 * 3_600);

/// What to do in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    /// The clock moved by itself just now.
    Jumped,
    /// There was cause for doubt, and not enough time has passed since.
    Wait,
}

/// The clocks at the last look.
#[derive(Debug)]
pub(super) struct Wall {
    at: Instant,
    wall: u64,
    doubted: Option<Instant>,
}

impl Wall {
    /// `known`: the newest wall clock from before the start, in milliseconds since 1970; 0 where there is none.
    pub(super) fn new(at: Instant, wall: u64, known: u64) -> Self {
        let ahead = known != 0 && wall > known.saturating_add(AHEAD_MS);
        Self { at, wall, doubted: ahead.then_some(at) }
    }

    /// Judges the clocks as they are now.
    pub(super) fn judge(&mut self, at: Instant, wall: u64) -> Verdict {
        let expected = self.wall.saturating_add(at.duration_since(self.at).as_millis() as u64);
        (self.at, self.wall) = (at, wall);
        if wall.abs_diff(expected) > TOLERANCE_MS {
            self.doubted = Some(at);
            return Verdict::Jumped;
        }
        match self.doubted {
            Some(since) if at.duration_since(since) < DOUBT => Verdict::Wait,
            _ => Verdict::Go,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const HOUR_MS: u64 = 3_600_000;
    const NOW: u64 = 1_795_000_000_000;

    #[test]
    fn clocks_that_go_together_are_believed() {
        let start = Instant::now();
        let mut wall = Wall::new(start, NOW, NOW - HOUR_MS);
        assert_eq!(wall.judge(start, NOW), Verdict::Go);
        assert_eq!(wall.judge(start + HOUR, NOW + HOUR_MS + 60_000), Verdict::Go, "a minute is corrected");
    }

    #[test]
    fn a_jump_stops_deleting_for_a_day() {
        let start = Instant::now();
        let mut wall = Wall::new(start, NOW, NOW);
        let ten_years = 10 * 365 * 24 * HOUR_MS;
        assert_eq!(wall.judge(start + HOUR, NOW + HOUR_MS + ten_years), Verdict::Jumped);
        assert_eq!(wall.judge(start + HOUR * 2, NOW + 2 * HOUR_MS + ten_years), Verdict::Wait);
        assert_eq!(wall.judge(start + HOUR * 3, NOW + 3 * HOUR_MS), Verdict::Jumped, "and back");
        for hour in 4..27 {
            let now = NOW + u64::from(hour) * HOUR_MS;
            assert_eq!(wall.judge(start + HOUR * hour, now), Verdict::Wait, "{hour}");
        }
        assert_eq!(wall.judge(start + HOUR * 27, NOW + 27 * HOUR_MS), Verdict::Go);
    }

    #[test]
    fn a_start_far_after_all_that_is_known_waits_for_a_day() {
        let start = Instant::now();
        let mut wall = Wall::new(start, NOW, NOW - 8 * 24 * HOUR_MS);
        assert_eq!(wall.judge(start, NOW), Verdict::Wait);
        assert_eq!(wall.judge(start + DOUBT, NOW + 24 * HOUR_MS), Verdict::Go);
        let mut new = Wall::new(start, NOW, 0);
        assert_eq!(new.judge(start, NOW), Verdict::Go, "a new cluster knows no time");
    }
}
