//! What a packet is to the stream so far: what comes next, or comes too late, or after something that was lost or that
//! nobody said, or the beginning of another stream. Numbers count packets, timestamps count sound (RFC 3550 section
//! 5.1): numbers that are missing are loss, timestamps that jump without it are silence.

use crate::{Packet, stretch::Stretch};

/// Packets so far behind are late or came twice; further ones are another stream's (RFC 3550 A.1).
const MISORDER: u16 = 100;
/// More numbers than these are not lost, but another stream's.
const DROPOUT: u32 = 3000;
/// So many lost packets are made up; what more is missing is silence.
const FRAMES: u32 = 3;
/// And no more than this, however long they were.
const MADE_UP_MS: u32 = 180;
/// A pause that is longer is none: another stream begins.
const SILENCE_S: u32 = 600;

/// What to do before a packet's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its time is over, or it was here before: nothing of it is heard.
    Stale,
    /// It has nothing to do with what came before.
    Anew,
    /// It follows. Before it so many ticks of the stream's clock were lost, and then, for so many, nothing was said.
    Follows { lost: u32, silent: u32 },
}

/// Where a stream stands.
#[derive(Debug)]
pub(crate) struct Order {
    clock_rate: u32,
    last: Option<Last>,
    stretch: Stretch,
}

#[derive(Debug)]
struct Last {
    source: u64,
    /// What the next packet is expected to say.
    sequence: u16,
    timestamp: u32,
    /// How long the last packet's sound was.
    ticks: u32,
    /// Packets lost between what was skipped since.
    missing: u32,
}

impl Order {
    /// For a stream whose timestamps have so many ticks a second.
    pub(crate) fn new(clock_rate: u32) -> Self {
        Self { clock_rate, last: None, stretch: Stretch::default() }
    }

    /// Takes a packet whose sound is so many ticks long.
    pub(crate) fn judge(&mut self, packet: &Packet<'_>, ticks: u32) -> Verdict {
        let verdict = match &self.last {
            Some(last) if last.source == packet.source => {
                last.judge(packet, self.clock_rate, &mut self.stretch)
            }
            _ => Verdict::Anew,
        };
        if verdict == Verdict::Anew {
            self.stretch = Stretch::default();
        }
        if verdict != Verdict::Stale {
            self.last = Some(Last {
                source: packet.source,
                sequence: packet.sequence.wrapping_add(1),
                timestamp: packet.timestamp.wrapping_add(ticks),
                ticks,
                missing: 0,
            });
        }
        verdict
    }

    /// Whatever comes next has nothing to do with what came before.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }

    /// Takes a packet of the stream that has no sound: its number is not missing.
    pub(crate) fn skip(&mut self, source: u64, sequence: u16) {
        let Some(last) = self.last.as_mut().filter(|last| last.source == source) else { return };
        let ahead = u32::from(sequence.wrapping_sub(last.sequence));
        if ahead <= DROPOUT {
            last.missing = last.missing.saturating_add(ahead);
            last.sequence = sequence.wrapping_add(1);
        }
    }
}

impl Last {
    fn judge(&self, packet: &Packet<'_>, clock_rate: u32, stretch: &mut Stretch) -> Verdict {
        let ahead = packet.sequence.wrapping_sub(self.sequence);
        if ahead > u16::MAX - MISORDER {
            return Verdict::Stale;
        }
        let missing = self.missing.saturating_add(u32::from(ahead));
        let jump = i64::from(packet.timestamp.wrapping_sub(self.timestamp) as i32);
        let (second, silence) = (i64::from(clock_rate), i64::from(clock_rate * SILENCE_S));
        if missing > DROPOUT || !(-second..=silence).contains(&jump) {
            return Verdict::Anew;
        }
        // Timestamps that step back a little are a sender's mistake, its numbers are not.
        let jump = u32::try_from(jump).unwrap_or(0);
        let jump = stretch.between(jump, missing, packet.marker, self.ticks);
        let most = clock_rate / 1000 * MADE_UP_MS;
        let lost = jump.min(missing.min(FRAMES) * self.ticks).min(most);
        Verdict::Follows { lost, silent: jump - lost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(order: &mut Order, sequence: u16, timestamp: u32) -> Verdict {
        marked(order, sequence, timestamp, false)
    }

    fn marked(order: &mut Order, sequence: u16, timestamp: u32, marker: bool) -> Verdict {
        order.judge(&Packet { source: 1, sequence, timestamp, marker, payload: &[] }, 160)
    }

    fn follows(lost: u32, silent: u32) -> Verdict {
        Verdict::Follows { lost, silent }
    }

    /// A stream of which one packet came, the last before all numbers turn over.
    fn order() -> Order {
        let mut order = Order::new(8000);
        assert_eq!(judge(&mut order, 65_535, u32::MAX - 159), Verdict::Anew);
        order
    }

    #[test]
    fn packets_in_order_follow_and_doubles_and_late_ones_are_stale() {
        let mut order = order();
        assert_eq!(judge(&mut order, 0, 0), follows(0, 0));
        assert_eq!(judge(&mut order, 0, 0), Verdict::Stale);
        assert_eq!(judge(&mut order, 65_535, u32::MAX - 159), Verdict::Stale);
        assert_eq!(judge(&mut order, 2, 320), follows(160, 0));
        assert_eq!(judge(&mut order, 1, 160), Verdict::Stale);
        assert_eq!(judge(&mut order, 3, 480), follows(0, 0));
    }

    #[test]
    fn three_lost_packets_are_made_up_and_more_are_silence() {
        assert_eq!(judge(&mut order(), 3, 480), follows(480, 0));
        assert_eq!(judge(&mut order(), 5, 800), follows(480, 320));
        assert_eq!(judge(&mut order(), 3, 800), follows(480, 320), "and nothing was said besides");
        assert_eq!(judge(&mut order(), 3, 200), follows(200, 0), "no longer than the timestamps say");
        assert_eq!(judge(&mut order(), 3, 0), follows(0, 0));
    }

    #[test]
    fn a_pause_is_silence_and_a_sloppy_clock_is_none() {
        assert_eq!(marked(&mut order(), 0, 8000, true), follows(0, 8000));
        assert_eq!(marked(&mut order(), 0, 80, true), follows(0, 80));
        assert_eq!(judge(&mut order(), 0, 8000), follows(0, 8000));
        assert_eq!(judge(&mut order(), 0, 160), follows(0, 0));
        assert_eq!(judge(&mut order(), 0, u32::MAX - 10), follows(0, 0));
    }

    #[test]
    fn of_a_clock_that_is_twice_too_fast_no_more_is_lost_than_there_was() {
        let mut order = Order::new(8000);
        judge(&mut order, 0, 0);
        for number in 1..=5_u16 {
            assert_eq!(judge(&mut order, number, u32::from(number) * 320), follows(0, 0));
        }
        assert_eq!(judge(&mut order, 7, 7 * 320), follows(160, 0));
        assert_eq!(marked(&mut order, 8, 8 * 320 + 16_000, true), follows(0, 8000));
    }

    #[test]
    fn jumps_and_other_sources_begin_anew() {
        for (sequence, timestamp) in [(20_000, 160), (65_000, 0), (0, 0x8000_0000), (0, 8000 * 601)] {
            let mut order = order();
            assert_eq!(judge(&mut order, sequence, timestamp), Verdict::Anew, "{sequence} {timestamp}");
            assert_eq!(judge(&mut order, sequence + 1, timestamp + 160), follows(0, 0));
        }
        let other = Packet { source: 2, sequence: 0, timestamp: 0, marker: false, payload: &[] };
        assert_eq!(order().judge(&other, 160), Verdict::Anew);
    }

    #[test]
    fn nothing_is_missing_of_what_was_not_to_be_heard() {
        let mut order = order();
        order.forget();
        assert_eq!(judge(&mut order, 1_000, 160_000), Verdict::Anew);
        assert_eq!(judge(&mut order, 1_001, 160_160), follows(0, 0));
    }

    #[test]
    fn what_is_skipped_is_not_lost() {
        let mut order = order();
        [0, 1, 2, 2, 4].into_iter().for_each(|sequence| order.skip(1, sequence));
        order.skip(2, 9);
        assert_eq!(judge(&mut order, 5, 960), follows(160, 800), "only number 3 is");
        assert_eq!(judge(&mut order, 6, 1120), follows(0, 0));
        Order::new(8000).skip(1, 7);
    }
}
