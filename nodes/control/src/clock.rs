//! The leader's clock: monotonic milliseconds that go on where the last leader's stopped, and the wall clock for labels.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a silence between two leaders may count as passed time. Longer ones are counted as this much: a wall
/// clock that jumped by years must not fire every timer.
const LONGEST_GAP: Duration = Duration::from_secs(60);

/// An entry is applied on a new leader this long after its stamp at the latest; more, and a clock was set.
const LATEST_COMMIT: Duration = Duration::from_secs(10);

/// Runs from the group's last stamp, for one leadership.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    base: u64,
    /// The leadership's term: another one has another clock.
    pub(crate) term: u64,
}

impl Clock {
    /// Goes on from the last stamp of the state, so many milliseconds after it.
    pub(crate) fn after(last_now: u64, gap: u64, term: u64) -> Self {
        Self { started: Instant::now(), base: last_now + gap, term }
    }

    /// Monotonic milliseconds of this group.
    pub(crate) fn now(&self) -> u64 {
        self.base + self.started.elapsed().as_millis() as u64
    }

    /// How long until `due`; zero when it has passed.
    pub(crate) fn until(&self, due: u64) -> Duration {
        Duration::from_millis(due.saturating_sub(self.now()))
    }
}

/// Milliseconds between the last stamp and now that a leader counts as passed.
///
/// A node that followed the group knows by its own clock that so much has passed at least: since it applied the last
/// entry (`followed`). That may have been a while after the stamp, for a new leader commits what the old one left; the
/// wall clock tells how long, if what it tells can be. A node that did not follow has only the wall clock.
pub(crate) fn gap(last_wall: u64, wall: u64, followed: Option<Duration>) -> u64 {
    let ms = |duration: Duration| duration.as_millis() as u64;
    let by_wall = wall.saturating_sub(last_wall);
    match followed.map(ms) {
        Some(least) if (least..=least + ms(LATEST_COMMIT)).contains(&by_wall) => by_wall,
        Some(least) => least,
        None if last_wall == 0 => 0,
        None => by_wall.min(ms(LONGEST_GAP)),
    }
}

/// Milliseconds since 1970, for labels.
pub(crate) fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::gap;

    #[test]
    fn a_gap_is_counted_within_bounds() {
        assert_eq!(gap(0, 1_000_000, None), 0, "a new group has no past");
        assert_eq!(gap(1_000, 3_500, None), 2_500);
        assert_eq!(gap(5_000, 1_000, None), 0, "a wall clock set back");
        assert_eq!(gap(1_000, 400_000_000, None), 60_000, "a wall clock set forward");
    }

    #[test]
    fn who_followed_believes_the_wall_clock_only_where_it_can_be() {
        let followed = Some(Duration::from_millis(100));
        assert_eq!(gap(1_000, 1_600, followed), 600, "applied half a second after its stamp");
        assert_eq!(gap(1_000, 1_050, followed), 100, "less than has passed here");
        assert_eq!(gap(1_000, 3_601_000, followed), 100, "an hour ahead");
        assert_eq!(gap(3_601_000, 1_000, followed), 100, "an hour behind");
    }
}
