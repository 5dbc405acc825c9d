//! Packets of one stream in their order, each when its time has come. How long they wait follows how unevenly they come
//! ([`Pace`]): when none is left, or the next is missing while fewer wait than should, what is heard is made up for a
//! moment and they wait on, so the delay has grown by that much; when more has waited for half a second than has to, 20 ms of it are to be squeezed out. Nothing is
//! kept beyond [`MOST_MS`] or [`SLOTS`] packets.

use super::{TICK_MS, pace::Pace};
use crate::{Encoding, Packet};

/// Packets that are kept at most.
const SLOTS: usize = 48;
/// Sound that is kept at most, in milliseconds.
const MOST_MS: u32 = 400;
/// Ticks in a row that are made up; then it is silent.
const MADE_UP: u32 = 3;
/// Timestamps that step back further than a second, or ahead further than ten minutes, are another stream's.
const BACK_MS: u32 = 1000;
const AHEAD_MS: u32 = 600_000;
/// So many packets in a row that come too late, and the stream is taken up where it is.
const LATE: u8 = 10;
/// Ticks for which too much has to wait before it is squeezed.
const PATIENCE: u32 = 25;

/// What is to be heard next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// This payload.
    Sound(&'a [u8]),
    /// So many ticks of the stream's clock were lost; what comes right after them, if it is there.
    Lost { ticks: u32, next: Option<&'a [u8]> },
    /// So many ticks in which nothing was said.
    Silent { ticks: u32 },
    /// Nothing, for this tick.
    Nothing,
}

/// One stream's packets.
#[derive(Debug)]
pub(super) struct Jitter {
    /// Ticks of the stream's clock in a millisecond.
    per_ms: u32,
    /// By timestamp.
    waiting: Vec<Slot>,
    /// Room for others, so that nothing is allocated for a packet.
    spare: Vec<Vec<u8>>,
    /// What was given out last.
    given: Vec<u8>,
    stream: Option<Stream>,
}

#[derive(Debug)]
struct Slot {
    sequence: u16,
    timestamp: u32,
    ticks: u32,
    payload: Vec<u8>,
}

#[derive(Debug)]
struct Stream {
    source: u64,
    /// What is heard next.
    timestamp: u32,
    sequence: u16,
    is_heard: bool,
    /// Since when the first packet has waited, while nothing is heard.
    since_us: u64,
    made_up: u32,
    late: u8,
    pace: Pace,
    /// How long the last packet was.
    ticks: u32,
    /// The least that waited in the present round of ticks, and how many they are.
    least: u32,
    ticked: u32,
}

impl Jitter {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self {
            per_ms: encoding.clock_rate() / 1000,
            waiting: Vec::with_capacity(SLOTS + 1),
            spare: Vec::with_capacity(SLOTS + 1),
            given: Vec::new(),
            stream: None,
        }
    }

    /// Takes a packet whose sound is so many ticks long. True: another stream begins with it.
    pub(super) fn take(&mut self, packet: &Packet<'_>, ticks: u32, now_us: u64) -> bool {
        let is_anew = !self.follows(packet);
        if is_anew {
            self.begin(packet, now_us);
        }
        self.put(packet, ticks, now_us);
        is_anew
    }

    fn follows(&self, packet: &Packet<'_>) -> bool {
        let Some(stream) = self.stream.as_ref().filter(|stream| stream.source == packet.source) else {
            return false;
        };
        let (back, ahead) = (i64::from(self.per_ms * BACK_MS), i64::from(self.per_ms * AHEAD_MS));
        let step = i64::from(packet.timestamp.wrapping_sub(stream.timestamp) as i32);
        (-back..=ahead).contains(&step) && stream.late < LATE
    }

    fn begin(&mut self, packet: &Packet<'_>, now_us: u64) {
        self.spare.extend(self.waiting.drain(..).map(|slot| slot.payload));
        self.stream = Some(Stream {
            source: packet.source,
            timestamp: packet.timestamp,
            sequence: packet.sequence,
            is_heard: false,
            since_us: now_us,
            made_up: 0,
            late: 0,
            pace: Pace::default(),
            ticks: 0,
            least: u32::MAX,
            ticked: 0,
        });
    }

    fn put(&mut self, packet: &Packet<'_>, ticks: u32, now_us: u64) {
        let Some(stream) = &mut self.stream else { return };
        stream.pace.note(packet.timestamp, self.per_ms, now_us);
        stream.ticks = ticks;
        let from = stream.timestamp;
        let ends = packet.timestamp.wrapping_sub(from).wrapping_add(ticks) as i32;
        if ends <= 0 {
            stream.late += 1;
            return;
        }
        stream.late = 0;
        if self.waiting.is_empty() {
            stream.since_us = now_us;
        }
        let step = |timestamp: u32| timestamp.wrapping_sub(from) as i32;
        let place = self.waiting.partition_point(|slot| step(slot.timestamp) < step(packet.timestamp));
        if self.waiting.get(place).is_some_and(|slot| slot.timestamp == packet.timestamp) {
            return;
        }
        let mut payload = self.spare.pop().unwrap_or_default();
        payload.clear();
        payload.extend_from_slice(packet.payload);
        let Packet { sequence, timestamp, .. } = *packet;
        self.waiting.insert(place, Slot { sequence, timestamp, ticks, payload });
        self.bound();
    }

    /// Drops the oldest of too many, the silence before them first.
    fn bound(&mut self) {
        while self.waiting.len() > SLOTS || self.level() > self.per_ms * MOST_MS {
            let Some(stream) = &mut self.stream else { return };
            let first = &self.waiting[0];
            if (first.timestamp.wrapping_sub(stream.timestamp) as i32) > 0 {
                (stream.timestamp, stream.sequence) = (first.timestamp, first.sequence);
                continue;
            }
            let dropped = self.waiting.remove(0);
            stream.timestamp = dropped.timestamp.wrapping_add(dropped.ticks);
            stream.sequence = dropped.sequence.wrapping_add(1);
            self.spare.push(dropped.payload);
        }
    }

    /// Ticks from what is heard next, the first packet where nothing is heard yet, to the end of what has come.
    fn level(&self) -> u32 {
        let (Some(stream), Some(first), Some(last)) =
            (&self.stream, self.waiting.first(), self.waiting.last())
        else {
            return 0;
        };
        let from = if stream.is_heard { stream.timestamp } else { first.timestamp };
        let ends = last.timestamp.wrapping_add(last.ticks).wrapping_sub(from);
        u32::try_from(ends as i32).unwrap_or(0)
    }

    fn wanted(&self) -> u32 {
        let Some(stream) = &self.stream else { return 0 };
        let per_ms = u64::from(self.per_ms);
        let wanted_us = stream.pace.wanted_us(u64::from(stream.ticks) * 1000 / per_ms);
        u32::try_from(wanted_us * per_ms / 1000).unwrap_or(u32::MAX)
    }

    /// Asked once a tick: whether 20 ms of what waits should go.
    pub(super) fn is_to_squeeze(&mut self) -> bool {
        let (level, wanted, tick) = (self.level(), self.wanted(), self.per_ms * TICK_MS);
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.is_heard) else { return false };
        stream.least = stream.least.min(level);
        stream.ticked += 1;
        if stream.ticked < PATIENCE {
            return false;
        }
        let least = std::mem::replace(&mut stream.least, u32::MAX);
        stream.ticked = 0;
        least > wanted + tick
    }

    /// What is heard next.
    pub(super) fn next(&mut self, now_us: u64) -> Next<'_> {
        if !self.is_heard(now_us) {
            return Next::Nothing;
        }
        let (tick, is_short) = (self.per_ms * TICK_MS, self.level() < self.wanted());
        let first = self.waiting.first().map(|slot| (slot.timestamp, slot.sequence, slot.ticks));
        let Some(stream) = &mut self.stream else { return Next::Nothing };
        let Some((timestamp, sequence, length)) = first else {
            if stream.made_up == MADE_UP {
                stream.is_heard = false;
                return Next::Nothing;
            }
            // What is missing may come yet: it is heard then, later than it would have been.
            stream.made_up += 1;
            return Next::Lost { ticks: tick, next: None };
        };
        let step = u32::try_from(timestamp.wrapping_sub(stream.timestamp) as i32).unwrap_or(0);
        if step == 0 {
            return self.give();
        }
        let is_missing = (1..0x8000).contains(&sequence.wrapping_sub(stream.sequence));
        if is_missing && stream.made_up < MADE_UP {
            stream.made_up += 1;
            if is_short {
                return Next::Lost { ticks: tick, next: None };
            }
            let ticks = step.min(length).min(tick);
            stream.timestamp = stream.timestamp.wrapping_add(ticks);
            let next = (ticks == step).then(|| &self.waiting[0].payload[..]);
            return Next::Lost { ticks, next };
        }
        let ticks = step.min(tick);
        stream.timestamp = stream.timestamp.wrapping_add(ticks);
        Next::Silent { ticks }
    }

    /// Whether sound has begun, or begins now: enough of it waits, or the first has waited for long enough.
    fn is_heard(&mut self, now_us: u64) -> bool {
        let (level, wanted) = (self.level(), self.wanted());
        let (Some(stream), first) = (&mut self.stream, self.waiting.first()) else { return false };
        if stream.is_heard {
            return true;
        }
        let Some(first) = first else { return false };
        let waited_us = now_us.saturating_sub(stream.since_us);
        if level < wanted && waited_us * u64::from(self.per_ms) < u64::from(wanted) * 1000 {
            return false;
        }
        (stream.timestamp, stream.sequence) = (first.timestamp, first.sequence);
        (stream.is_heard, stream.made_up) = (true, 0);
        (stream.least, stream.ticked) = (u32::MAX, 0);
        true
    }

    fn give(&mut self) -> Next<'_> {
        let slot = self.waiting.remove(0);
        if let Some(stream) = &mut self.stream {
            stream.timestamp = slot.timestamp.wrapping_add(slot.ticks);
            stream.sequence = slot.sequence.wrapping_add(1);
            stream.made_up = 0;
        }
        self.spare.push(std::mem::replace(&mut self.given, slot.payload));
        Next::Sound(&self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of 20 ms at 8 kHz: payloads are their numbers.
    struct Line {
        jitter: Jitter,
        now_ms: u64,
    }

    impl Line {
        fn new() -> Self {
            Self { jitter: Jitter::new(Encoding::Pcma), now_ms: 1000 }
        }

        fn take(&mut self, number: u16) -> bool {
            let timestamp = u32::from(number) * 160;
            let payload = [number as u8];
            let packet = Packet { source: 1, sequence: number, timestamp, marker: false, payload: &payload };
            self.jitter.take(&packet, 160, self.now_ms * 1000)
        }

        /// What is heard in this tick, in a word; then the next tick's time has come.
        fn tick(&mut self) -> String {
            let word = match self.jitter.next(self.now_ms * 1000) {
                Next::Sound(payload) => payload[0].to_string(),
                Next::Lost { next: Some(next), .. } => format!("lost before {}", next[0]),
                Next::Lost { .. } => "lost".into(),
                Next::Silent { .. } => "silent".into(),
                Next::Nothing => "-".into(),
            };
            self.now_ms += 20;
            word
        }

        /// So many packets, in step with ticks.
        fn run(&mut self, numbers: std::ops::Range<u16>) -> Vec<String> {
            let each = numbers.map(|number| {
                self.take(number);
                self.tick()
            });
            each.collect()
        }
    }

    #[test]
    fn two_packets_wait_and_then_each_is_heard_in_its_turn() {
        let mut line = Line::new();
        assert_eq!(line.run(0..6), ["-", "0", "1", "2", "3", "4"]);
    }

    #[test]
    fn packets_out_of_order_are_put_in_order_and_doubles_are_heard_once() {
        let mut line = Line::new();
        line.run(0..5);
        line.take(6);
        line.take(6);
        assert_eq!(line.tick(), "4");
        line.take(5);
        assert_eq!([line.tick(), line.tick()], ["5", "6"]);
    }

    #[test]
    fn a_lost_packet_is_made_up_and_is_too_late_then() {
        let mut line = Line::new();
        line.run(0..5);
        line.take(6);
        assert_eq!(line.tick(), "4");
        line.take(7);
        assert_eq!(line.tick(), "lost before 6");
        line.take(5);
        assert_eq!([line.tick(), line.tick()], ["6", "7"]);
    }

    #[test]
    fn a_pause_without_loss_is_silence() {
        let mut line = Line::new();
        line.run(0..5);
        let packet = Packet { source: 1, sequence: 5, timestamp: 7 * 160, marker: true, payload: &[7] };
        line.jitter.take(&packet, 160, line.now_ms * 1000);
        let heard: Vec<String> = (0..4).map(|_| line.tick()).collect();
        assert_eq!(heard, ["4", "silent", "silent", "7"]);
    }

    #[test]
    fn what_is_held_up_is_heard_later_and_nothing_of_it_is_lost() {
        let mut line = Line::new();
        line.run(0..10);
        assert_eq!([line.tick(), line.tick(), line.tick()], ["9", "lost", "lost"]);
        for number in 10..13 {
            line.take(number);
        }
        let heard = line.run(13..16);
        assert_eq!(heard, ["10", "11", "12"], "40 ms later than before");
    }

    #[test]
    fn silence_follows_what_is_made_up_and_a_far_end_that_is_back_waits_anew() {
        let mut line = Line::new();
        line.run(0..5);
        let heard: Vec<String> = (0..6).map(|_| line.tick()).collect();
        assert_eq!(heard, ["4", "lost", "lost", "lost", "-", "-"]);
        assert_eq!(line.run(11..14), ["-", "11", "12"]);
    }

    #[test]
    fn what_waits_for_nothing_is_to_be_squeezed() {
        let mut line = Line::new();
        line.run(0..5);
        for number in 5..12 {
            line.take(number);
        }
        let squeezed = (12..112).filter(|number| {
            line.take(*number);
            let squeezes = line.jitter.is_to_squeeze();
            if squeezes {
                line.jitter.next(line.now_ms * 1000);
            }
            line.tick();
            squeezes
        });
        let squeezed = squeezed.count();
        assert!((2..=4).contains(&squeezed), "{squeezed} times in two seconds");
        assert!(line.jitter.level() < 160 * 7, "{}", line.jitter.level());
    }

    #[test]
    fn it_keeps_no_more_than_it_may() {
        let mut line = Line::new();
        for number in 0..500 {
            line.take(number);
        }
        assert!(line.jitter.level() <= 8 * MOST_MS && line.jitter.waiting.len() <= SLOTS);
        assert_eq!(line.tick(), (480_u16 as u8).to_string());
    }

    #[test]
    fn another_source_a_jump_and_ten_late_ones_begin_anew() {
        let mut line = Line::new();
        line.run(100..110);
        let timestamp = 4_000_000_000;
        let jump = Packet { source: 1, sequence: 110, timestamp, marker: false, payload: &[1] };
        assert!(line.jitter.take(&jump, 160, line.now_ms * 1000));
        line.take(100);
        let other = Packet { source: 2, sequence: 5, timestamp: 0, marker: false, payload: &[1] };
        assert!(line.jitter.take(&other, 160, line.now_ms * 1000));
        let mut line = Line::new();
        line.run(100..150);
        let late: Vec<bool> = (110..121).map(|number| line.take(number)).collect();
        assert_eq!(late.iter().position(|is_anew| *is_anew), Some(10));
    }
}
