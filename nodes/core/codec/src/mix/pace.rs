//! How unevenly packets come, and so how long they should wait: the spread of their ways through the network, measured
//! against the fastest of late.

/// Who was faster than all others of late is believed a little less with time, for clocks drift apart: 1 ms a second.
const LEAK: i64 = 1000;
/// A spread that was seen is forgotten with this time constant.
const FORGET_US: u64 = 8_000_000;
/// A way that is this much longer is another way, or another clock.
const ANOTHER_US: i64 = 500_000;
/// Packets wait for as long at least, beside their own length: ticks and packets are not in step.
const LEAST_US: u64 = 20_000;
/// And no longer than this, length included.
const MOST_US: u64 = 200_000;

/// One stream's.
#[derive(Debug, Default)]
pub(super) struct Pace {
    seen: Option<Seen>,
    /// The largest spread of late.
    spread_us: u64,
}

#[derive(Debug)]
struct Seen {
    at_us: u64,
    timestamp: u32,
    /// The stream's own time since the first packet.
    media_us: i64,
    /// The shortest way of late, from the stream's own time to arrival.
    least_us: i64,
}

impl Pace {
    /// A packet has come whose timestamp counts so many ticks a millisecond.
    pub(super) fn note(&mut self, timestamp: u32, per_ms: u32, now_us: u64) {
        let Some(seen) = &mut self.seen else {
            let least_us = signed(now_us);
            self.seen = Some(Seen { at_us: now_us, timestamp, media_us: 0, least_us });
            return;
        };
        let step = i64::from(timestamp.wrapping_sub(seen.timestamp) as i32);
        seen.media_us += step * 1000 / i64::from(per_ms);
        seen.timestamp = timestamp;
        let passed_us = now_us.saturating_sub(seen.at_us);
        seen.at_us = now_us;
        let way_us = signed(now_us) - seen.media_us;
        let least_us = (seen.least_us + signed(passed_us) / LEAK).min(way_us);
        let is_another = way_us - least_us > ANOTHER_US;
        seen.least_us = if is_another { way_us } else { least_us };
        let forgotten = self.spread_us.saturating_mul(passed_us.min(FORGET_US)) / FORGET_US;
        let spread_us = u64::try_from(way_us - seen.least_us).unwrap_or(0);
        self.spread_us = (self.spread_us - forgotten).max(spread_us);
    }

    /// How much sound should wait before the first of it is heard, where packets are so long.
    pub(super) fn wanted_us(&self, packet_us: u64) -> u64 {
        (self.spread_us.max(LEAST_US) + packet_us).min(MOST_US)
    }
}

fn signed(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of 20 ms at 8 kHz, each so much later than in its turn.
    fn note(pace: &mut Pace, from: u32, late_ms: &[u64]) {
        for (number, late) in (from..).zip(late_ms) {
            pace.note(number * 160, 8, 1_000_000 + u64::from(number) * 20_000 + late * 1000);
        }
    }

    #[test]
    fn what_comes_evenly_hardly_waits_and_what_does_not_waits_for_the_latest() {
        let mut pace = Pace::default();
        note(&mut pace, 0, &[0; 50]);
        assert_eq!(pace.wanted_us(20_000), 40_000);
        assert_eq!(pace.wanted_us(60_000), 80_000);
        note(&mut pace, 50, &[0, 70, 30, 0]);
        let wanted = pace.wanted_us(20_000);
        assert!((88_000..=91_000).contains(&wanted), "{wanted}");
        note(&mut pace, 54, &[0; 1000]);
        assert!(pace.wanted_us(20_000) < 45_000, "a long quiet time");
    }

    #[test]
    fn it_is_bounded_and_another_way_is_no_spread() {
        let mut pace = Pace::default();
        note(&mut pace, 0, &[0, 0, 400, 0]);
        assert_eq!(pace.wanted_us(20_000), MOST_US);
        let mut pace = Pace::default();
        note(&mut pace, 0, &[0, 0, 10_000, 10_000, 10_000]);
        assert_eq!(pace.wanted_us(20_000), 40_000, "the clock stood still for 10 s");
    }

    #[test]
    fn timestamps_that_turn_over_are_no_jump() {
        let mut pace = Pace::default();
        pace.note(u32::MAX - 79, 8, 20_000);
        pace.note(80, 8, 40_000);
        assert_eq!(pace.wanted_us(20_000), 40_000);
    }
}
