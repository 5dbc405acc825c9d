//! Events made anew for a far end whose stream counts another clock, or is a stream of our own: packet by packet, without
//! waiting for the end of the press. Each event of the far end that presses is one event, with a timestamp of the stream
//! that it goes out in and its duration in the clock that goes with it.

use super::Payload;

/// A packet whose timestamp lies so many seconds behind its event's is no late one, but of a clock that began anew.
const RESTART_S: i64 = 10;

/// What one listener is told of somebody's keys.
#[derive(Debug, Clone, Default)]
pub struct Teller {
    told: Option<Told>,
    /// The last one of the stream before, or of the same stream at another clock: what comes of it is late.
    former: Option<Told>,
}

/// The event that was told last.
#[derive(Debug, Clone, Copy)]
struct Told {
    source: u64,
    /// Of what comes in: timestamps of two are not comparable.
    clock: u32,
    event: u8,
    /// Of the segment that comes in now (RFC 4733 section 2.5.1.3), and how long those before it were.
    timestamp: u32,
    before: u32,
    /// What it goes out under, and how long it has become there.
    began: u32,
    duration: u16,
}

/// One packet to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retold {
    /// Set on the first packet of the event.
    pub marker: bool,
    pub timestamp: u32,
    pub payload: [u8; 4],
}

impl Teller {
    /// Takes a packet of the stream `source`, whose timestamps count `clocks[0]`, and gives it for one that counts
    /// `clocks[1]` and where a frame of this moment would have the timestamp `now`. None: it is no event, or it is late.
    pub fn retell(
        &mut self,
        (source, timestamp): (u64, u32),
        payload: &[u8],
        clocks: [u32; 2],
        now: u32,
    ) -> Option<Retold> {
        let payload = Payload::read(payload)?;
        let is_of_stream = |told: &Told| (told.source, told.clock) == (source, clocks[0]);
        let former = self.former.filter(is_of_stream);
        let (mut told, marker) = match self.told.filter(is_of_stream) {
            Some(told) if told.timestamp == timestamp => (told, false),
            Some(told) if told.is_continued_by(timestamp, payload) => {
                let before = told.before.saturating_add(u32::from(u16::MAX));
                (Told { timestamp, before, ..told }, false)
            }
            Some(told) if told.is_before(timestamp) => return None,
            Some(_) => (self.begin((source, clocks[0]), timestamp, payload.event, now), true),
            None if former.is_some_and(|former| former.is_at_or_before(timestamp)) => return None,
            None => {
                self.former = self.told;
                (self.begin((source, clocks[0]), timestamp, payload.event, now), true)
            }
        };
        let units = told.before.saturating_add(payload.duration.into());
        told.duration = told.duration.max(scaled(units, clocks));
        self.told = Some(told);
        let payload = Payload { duration: told.duration, ..payload }.write();
        Some(Retold { marker, timestamp: told.began, payload })
    }

    /// An event that begins after the one before it, however soon its packets came.
    fn begin(&self, (source, clock): (u64, u32), timestamp: u32, event: u8, now: u32) -> Told {
        let after = self.told.map(|told| told.began.wrapping_add(u32::from(told.duration.max(1))));
        let began = match after {
            Some(after) if (now.wrapping_sub(after) as i32) < 0 => after,
            _ => now,
        };
        Told { source, clock, event, timestamp, before: 0, began, duration: 0 }
    }
}

impl Told {
    /// A key held for longer than a duration can say goes on in a segment that begins where the last one was full.
    fn is_continued_by(&self, timestamp: u32, payload: Payload) -> bool {
        payload.event == self.event && timestamp.wrapping_sub(self.timestamp) == u32::from(u16::MAX)
    }

    /// Whether a packet belongs to something that was over when this event began.
    fn is_before(&self, timestamp: u32) -> bool {
        let ahead = i64::from(timestamp.wrapping_sub(self.timestamp) as i32);
        (-RESTART_S * i64::from(self.clock)..0).contains(&ahead)
    }

    /// The same, or to this event, when that is over.
    fn is_at_or_before(&self, timestamp: u32) -> bool {
        timestamp == self.timestamp || self.is_before(timestamp)
    }
}

/// Cut to what 16 bits can say: a press goes on being told, as long as that.
fn scaled(units: u32, [from, to]: [u32; 2]) -> u16 {
    let units = u64::from(units) * u64::from(to) / u64::from(from.max(1));
    u16::try_from(units).unwrap_or(u16::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Receiver, Sender};
    use super::*;

    /// What is heard of presses of 100 ms each, told from one clock to another; all packets come at once, and twice.
    fn heard(keys: &str, clocks: [u32; 2]) -> Vec<(char, u32)> {
        let (mut teller, mut receiver, mut heard) = (Teller::default(), Receiver::default(), Vec::new());
        for (number, key) in (0..).zip(keys.chars()) {
            let mut sender = Sender::new(key, 100, clocks[0]).unwrap();
            while let Some(packet) = sender.next() {
                for _ in 0..2 {
                    let from = (7, 1000 + number * clocks[0]);
                    let told = teller.retell(from, &packet.payload, clocks, 500).unwrap();
                    let digits = receiver.receive(told.timestamp, clocks[1], &told.payload, 0);
                    heard.extend(digits.map(|digit| (digit.key, digit.duration_ms)));
                }
            }
        }
        heard
    }

    #[test]
    fn each_press_is_told_once_and_as_long_as_it_was() {
        for clocks in [[48_000, 8_000], [8_000, 48_000], [8_000, 8_000]] {
            assert_eq!(heard("1#1", clocks), [('1', 100), ('#', 100), ('1', 100)], "{clocks:?}");
        }
    }

    #[test]
    fn the_first_packet_is_marked_and_late_ones_are_left_out() {
        let mut teller = Teller::default();
        let payload = Payload { event: 5, end: true, volume: 10, duration: 4_800 }.write();
        let mut tell = |timestamp, now| teller.retell((1, timestamp), &payload, [48_000, 8_000], now);
        let first = tell(10_000, 77).unwrap();
        assert!(first.marker && first.timestamp == 77);
        assert_eq!(Payload::read(&first.payload).unwrap().duration, 800);
        assert_eq!(tell(10_000, 237), Some(Retold { marker: false, ..first }), "its end is said again");
        assert_eq!(tell(9_000, 237), None);
        assert!(tell(60_000, 8_000).unwrap().marker);
        assert_eq!(teller.retell((1, 1), &[5, 0], [48_000, 8_000], 0), None);
    }

    #[test]
    fn another_clock_under_the_same_stream_loses_no_event_and_doubles_none() {
        let mut teller = Teller::default();
        let payload = Payload { event: 5, end: true, volume: 10, duration: 800 }.write();
        let mut begins = |source, timestamp, clock| {
            let told = teller.retell((source, timestamp), &payload, [clock, 8_000], 0);
            told.map(|told| told.marker)
        };
        for (source, timestamp, clock, expected) in [
            (1, 100_000, 8_000, Some(true)),
            (1, 50_000, 48_000, Some(true)),
            (1, 100_000, 8_000, None),
            (1, 99_000, 8_000, None),
            (1, 50_000, 48_000, Some(false)),
            (1, 108_000, 8_000, Some(true)),
            (1, 50_000, 48_000, None),
            (2, 7, 8_000, Some(true)),
            (1, 108_000, 8_000, None),
        ] {
            assert_eq!(begins(source, timestamp, clock), expected, "{timestamp} of {clock} a second");
        }
    }

    #[test]
    fn a_key_that_is_held_for_long_is_one_event_in_the_slower_clock() {
        let mut teller = Teller::default();
        let held = |duration, end| Payload { event: 1, end, volume: 10, duration }.write();
        let first = teller.retell((1, 0), &held(u16::MAX, false), [48_000, 8_000], 9).unwrap();
        let next = teller.retell((1, 65_535), &held(48_000, true), [48_000, 8_000], 9_000).unwrap();
        assert_eq!([first.timestamp, next.timestamp], [9, 9]);
        assert_eq!(Payload::read(&next.payload).unwrap().duration, 18_922, "113,535 of six times as many");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(all in proptest::collection::vec((any::<u32>(), proptest::collection::vec(any::<u8>(), 0..8), any::<u32>()), 0..50)) {
            let mut teller = Teller::default();
            for (index, (timestamp, payload, now)) in all.iter().enumerate() {
                let clocks = [[8_000, 48_000], [48_000, 8_000], [0, u32::MAX]][index % 3];
                teller.retell((index as u64 % 2, *timestamp), payload, clocks, *now);
            }
        }
    }
}
