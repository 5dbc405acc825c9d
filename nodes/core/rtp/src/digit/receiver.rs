//! From the packets of telephone events to one report per key press, whatever was lost, doubled or late.

use super::{Digit, Payload};

/// An event whose end never came is over after this long without a packet of it.
const OVER_US: u64 = 200_000;
/// A timestamp so many seconds behind the last report is a restarted clock, not a late packet.
const RESTART_S: i32 = 10;

/// What one far end presses.
#[derive(Debug, Clone, Default)]
pub struct Receiver {
    pressed: Option<Pressed>,
    /// The last reported events, the newest first, each of another clock: timestamps of two clocks are not comparable,
    /// though the stream is the same. Repeats of them and anything older are late.
    reported: [Option<Reported>; 2],
}

#[derive(Debug, Clone, Copy)]
struct Reported {
    timestamp: u32,
    clock: u32,
}

#[derive(Debug, Clone, Copy)]
struct Pressed {
    key: char,
    event: u8,
    timestamp: u32,
    /// Timestamp units in a second.
    clock: u32,
    /// Of earlier segments (RFC 4733 section 2.5.1.3).
    before: u32,
    duration: u16,
    heard_us: u64,
}

impl Receiver {
    /// Takes one packet and gives the presses that it ends: its own, or an earlier one whose end was lost, or both.
    /// Timestamp and durations count `clock` units a second.
    pub fn receive(
        &mut self,
        timestamp: u32,
        clock: u32,
        payload: &[u8],
        now_us: u64,
    ) -> impl Iterator<Item = Digit> + use<> {
        let mut digits = [None, None];
        if let Some(payload) = Payload::read(payload)
            && let Some(key) = payload.key()
            && !self.is_late(timestamp, clock)
        {
            digits[0] = self.turn_to((timestamp, clock), key, payload, now_us);
            if payload.end {
                digits[1] = self.report();
            }
        }
        digits.into_iter().flatten()
    }

    /// Gives the press whose end must have been lost. Call it now and then, at least once a second.
    pub fn poll(&mut self, now_us: u64) -> Option<Digit> {
        match self.pressed {
            Some(pressed) if now_us.saturating_sub(pressed.heard_us) >= OVER_US => self.report(),
            _ => None,
        }
    }

    /// The far end started another stream: its timestamps begin anew.
    pub fn restart(&mut self) -> Option<Digit> {
        let digit = self.report();
        self.reported = [None; 2];
        digit
    }

    fn is_late(&self, timestamp: u32, clock: u32) -> bool {
        let pressed = self.pressed.filter(|pressed| pressed.clock == clock);
        let reported = || self.reported.iter().flatten().find(|reported| reported.clock == clock);
        let before = pressed.map(|pressed| pressed.timestamp.wrapping_sub(1));
        let newest = before.or_else(|| reported().map(|reported| reported.timestamp));
        let restart = RESTART_S.saturating_mul(i32::try_from(clock).unwrap_or(i32::MAX));
        newest.is_some_and(|newest| (-restart..=0).contains(&(timestamp.wrapping_sub(newest) as i32)))
    }

    /// Makes the packet's event the pressed one; gives the former one if it was another.
    fn turn_to(
        &mut self,
        (timestamp, clock): (u32, u32),
        key: char,
        payload: Payload,
        now_us: u64,
    ) -> Option<Digit> {
        let mut ended = None;
        let mut before = 0;
        let same_clock = self.pressed.filter(|pressed| pressed.clock == clock);
        match same_clock {
            Some(pressed) if pressed.timestamp == timestamp => {
                before = pressed.before;
            }
            Some(pressed) if pressed.is_continued_by(timestamp, payload) => {
                before = pressed.before + u32::from(u16::MAX);
            }
            _ => ended = self.report(),
        }
        let longest = match same_clock {
            Some(pressed) if pressed.timestamp == timestamp => pressed.duration.max(payload.duration),
            _ => payload.duration,
        };
        self.pressed = Some(Pressed {
            key,
            event: payload.event,
            timestamp,
            clock,
            before,
            duration: longest,
            heard_us: now_us,
        });
        ended
    }

    fn report(&mut self) -> Option<Digit> {
        let pressed = self.pressed.take()?;
        let Pressed { timestamp, clock, .. } = pressed;
        let [last, _] = self.reported;
        if last.is_some_and(|last| last.clock != clock) {
            self.reported[1] = last;
        }
        self.reported[0] = Some(Reported { timestamp, clock });
        Some(Digit { key: pressed.key, duration_ms: pressed.duration_ms() })
    }
}

impl Pressed {
    fn duration_ms(&self) -> u32 {
        let units = u64::from(self.before) + u64::from(self.duration);
        (units * 1000 / u64::from(self.clock.max(1))).min(u32::MAX.into()) as u32
    }

    /// A key held for longer than a duration can say goes on in a segment that begins where the last one was full.
    fn is_continued_by(&self, timestamp: u32, payload: Payload) -> bool {
        payload.event == self.event && timestamp.wrapping_sub(self.timestamp) == u32::from(u16::MAX)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::Sender;
    use super::*;
    use crate::RATE;

    /// Packets of the keys as (timestamp, payload), 200 ms a press, 100 ms between.
    fn packets(keys: &str) -> Vec<(u32, [u8; 4])> {
        let mut packets = Vec::new();
        for (index, key) in keys.chars().enumerate() {
            let mut sender = Sender::new(key, 200, RATE).unwrap();
            let timestamp = (index as u32).wrapping_mul(2400).wrapping_sub(5000);
            packets.extend(std::iter::from_fn(|| sender.next()).map(|packet| (timestamp, packet.payload)));
        }
        packets
    }

    fn heard(packets: &[(u32, [u8; 4])]) -> String {
        let mut receiver = Receiver::default();
        let mut keys = String::new();
        for (index, (timestamp, payload)) in packets.iter().enumerate() {
            keys.extend(receiver.receive(*timestamp, RATE, payload, index as u64 * 20_000).map(|d| d.key));
        }
        keys.extend(receiver.poll(u64::MAX).map(|d| d.key));
        keys
    }

    #[test]
    fn each_press_is_reported_once_with_its_duration() {
        let mut receiver = Receiver::default();
        let all: Vec<Digit> =
            packets("1").iter().flat_map(|(ts, payload)| receiver.receive(*ts, RATE, payload, 0)).collect();
        assert_eq!(all, [Digit { key: '1', duration_ms: 200 }]);
        assert_eq!(heard(&packets("0123456789*#ABCD")), "0123456789*#ABCD");
        assert_eq!(heard(&packets("1111")), "1111");
    }

    #[test]
    fn a_long_press_in_segments_is_one_digit() {
        let mut receiver = Receiver::default();
        let mut all = Vec::new();
        for (timestamp, end, duration) in
            [(100, false, 32000), (100, false, 65535), (65635, false, 160), (65635, true, 8000)]
        {
            let payload = Payload { event: 11, end, volume: 10, duration }.write();
            all.extend(receiver.receive(timestamp, RATE, &payload, 0));
        }
        assert_eq!(all, [Digit { key: '#', duration_ms: (65535 + 8000) / 8 }]);
    }

    #[test]
    fn durations_are_read_in_the_clock_of_the_sound_beside_them() {
        let mut receiver = Receiver::default();
        let mut sender = Sender::new('7', 140, 48_000).unwrap();
        let packets: Vec<_> = std::iter::from_fn(|| sender.next()).collect();
        let all: Vec<Digit> =
            packets.iter().flat_map(|packet| receiver.receive(9, 48_000, &packet.payload, 0)).collect();
        assert_eq!(all, [Digit { key: '7', duration_ms: 140 }]);
        let end = Payload { event: 7, end: true, volume: 0, duration: 4_800 }.write();
        let behind = |seconds: u32| 9u32.wrapping_sub(seconds * 48_000);
        assert_eq!(receiver.receive(behind(9), 48_000, &end, 0).count(), 0, "late by 9 s");
        assert_eq!(receiver.receive(behind(11), 48_000, &end, 0).count(), 1, "another clock");
    }

    #[test]
    fn another_clock_under_the_same_stream_loses_no_press_and_doubles_none() {
        let mut receiver = Receiver::default();
        for (timestamp, clock, event, end, expected) in [
            (100_000, RATE, 1, true, "1"),
            (50_000, 48_000, 2, true, "2"),
            (100_000, RATE, 1, true, ""),
            (50_000, 48_000, 2, true, ""),
            (60_000, 48_000, 3, false, ""),
            (100_000, RATE, 1, true, ""),
            (60_000, RATE, 1, true, ""),
            (108_000, RATE, 4, true, "34"),
            (60_000, 48_000, 3, true, ""),
        ] {
            let payload = Payload { event, end, volume: 0, duration: 800 }.write();
            let heard: String = receiver.receive(timestamp, clock, &payload, 0).map(|d| d.key).collect();
            assert_eq!(heard, expected, "key {event} at {timestamp} of {clock} a second");
        }
    }

    #[test]
    fn other_events_and_scraps_are_no_digits() {
        let mut receiver = Receiver::default();
        for payload in [&[16, 0x80, 0, 160][..], &[255, 0x80, 0, 1], &[1, 0x80, 0], &[]] {
            assert_eq!(receiver.receive(1, RATE, payload, 0).count(), 0);
        }
        assert_eq!(receiver.poll(u64::MAX), None);
    }

    #[test]
    fn a_restarted_clock_does_not_swallow_digits() {
        let mut receiver = Receiver::default();
        let end = Payload { event: 5, end: true, volume: 0, duration: 800 }.write();
        assert_eq!(receiver.receive(1_000_000, RATE, &end, 0).count(), 1);
        assert_eq!(receiver.receive(500, RATE, &end, 0).count(), 1, "far behind: another clock");
        receiver.restart();
        assert_eq!(receiver.receive(400, RATE, &end, 0).count(), 1, "another stream");
    }

    proptest! {
        #[test]
        fn loss_and_doubles_change_nothing_while_one_packet_of_each_press_comes(
            keys in "[0-9*#A-D]{1,8}",
            keep in proptest::collection::vec(0..3usize, 200),
        ) {
            let sent = packets(&keys);
            let mut arrived = Vec::new();
            for (index, packet) in sent.iter().enumerate() {
                let sure = index % 13 == 6;
                arrived.extend(std::iter::repeat_n(*packet, keep[index].max(usize::from(sure))));
            }
            prop_assert_eq!(heard(&arrived), keys);
        }

        #[test]
        fn any_bytes_are_taken(all in proptest::collection::vec((any::<u32>(), proptest::collection::vec(any::<u8>(), 0..8)), 0..50)) {
            let mut receiver = Receiver::default();
            for (index, (timestamp, payload)) in all.iter().enumerate() {
                let clock = [RATE, 48_000, 0, u32::MAX][index % 4];
                let _ = receiver.receive(*timestamp, clock, payload, index as u64 * 30_000).count();
                receiver.poll(index as u64 * 30_000);
            }
        }
    }
}
