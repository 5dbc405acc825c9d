//! Packets of one stream in their order, each when its time has come. How long they wait follows how unevenly they come
//! ([`Pace`]): when none is left, or the next is missing while fewer wait than should, what is heard is made up for a
//! moment and they wait on, so the delay has grown by that much; when more has waited for half a second than has to, 20 ms
//! of it are to be squeezed out. Nothing is kept beyond [`MOST_MS`] or [`SLOTS`] packets.

#[cfg(test)]
mod tests;

use super::{
    TICK_MS,
    pace::Pace,
    timeline::Timeline,
    waiting::{SLOTS, Slot, Waiting},
};
use crate::{Encoding, Packet};

/// Sound that is kept at most, in milliseconds.
const MOST_MS: u32 = 400;
/// Ticks in a row that are made up; then it is silent.
const MADE_UP: u32 = 3;
/// Places that are further back than a second, or further ahead than ten minutes, are another stream's.
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
    waiting: Waiting,
    /// What was given out last.
    given: Vec<u8>,
    stream: Option<Stream>,
}

#[derive(Debug)]
struct Stream {
    source: u64,
    timeline: Timeline,
    /// What is heard next.
    place: u32,
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

impl Stream {
    fn new(packet: &Packet<'_>, ticks: u32, now_us: u64) -> Self {
        Self {
            source: packet.source,
            timeline: Timeline::new(packet, ticks),
            place: packet.timestamp,
            sequence: packet.sequence,
            is_heard: false,
            since_us: now_us,
            made_up: 0,
            late: 0,
            pace: Pace::default(),
            ticks: 0,
            least: u32::MAX,
            ticked: 0,
        }
    }

    /// What comes after a packet is next.
    fn pass(&mut self, slot: &Slot) {
        self.place = slot.place.wrapping_add(slot.ticks);
        self.sequence = slot.sequence.wrapping_add(1);
    }
}

impl Jitter {
    pub(super) fn new(encoding: Encoding) -> Self {
        let per_ms = encoding.clock_rate() / 1000;
        Self { per_ms, waiting: Waiting::new(), given: Vec::new(), stream: None }
    }

    /// Takes a packet whose sound is so many ticks long. True: another stream begins with it.
    pub(super) fn take(&mut self, packet: &Packet<'_>, ticks: u32, now_us: u64) -> bool {
        let known = self.place(packet, ticks);
        if known.is_none() {
            self.waiting.clear();
            self.stream = Some(Stream::new(packet, ticks, now_us));
        }
        self.put(packet, (known.unwrap_or(packet.timestamp), ticks), now_us);
        known.is_none()
    }

    /// Where a packet lies in the stream. None: it is another stream's.
    fn place(&mut self, packet: &Packet<'_>, ticks: u32) -> Option<u32> {
        let stream = self.stream.as_mut().filter(|stream| stream.source == packet.source)?;
        let place = stream.timeline.place(packet, ticks);
        let (back, ahead) = (i64::from(self.per_ms * BACK_MS), i64::from(self.per_ms * AHEAD_MS));
        let step = i64::from(place.wrapping_sub(stream.place) as i32);
        ((-back..=ahead).contains(&step) && stream.late < LATE).then_some(place)
    }

    fn put(&mut self, packet: &Packet<'_>, (place, ticks): (u32, u32), now_us: u64) {
        let Some(stream) = &mut self.stream else { return };
        stream.pace.note(place, self.per_ms, now_us);
        stream.ticks = ticks;
        let ends = place.wrapping_sub(stream.place).wrapping_add(ticks) as i32;
        if ends <= 0 {
            stream.late += 1;
            return;
        }
        stream.late = 0;
        if self.waiting.first().is_none() {
            stream.since_us = now_us;
        }
        self.waiting.put((packet.sequence, place, ticks), packet.payload, stream.place);
        self.bound();
    }

    /// Drops the oldest of too many, the silence before them first.
    fn bound(&mut self) {
        while self.waiting.len() > SLOTS || self.level() > self.per_ms * MOST_MS {
            let (Some(stream), Some(first)) = (&mut self.stream, self.waiting.first()) else { return };
            if (first.place.wrapping_sub(stream.place) as i32) > 0 {
                (stream.place, stream.sequence) = (first.place, first.sequence);
                continue;
            }
            let Some(dropped) = self.waiting.take_first() else { return };
            stream.pass(&dropped);
            self.waiting.give_back(dropped.payload);
        }
    }

    /// Ticks from what is heard next, the first packet where nothing is heard yet, to the end of what has come.
    fn level(&self) -> u32 {
        let Some(stream) = &self.stream else { return 0 };
        self.waiting.reach(stream.is_heard.then_some(stream.place))
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
        let first = self.waiting.first().map(|slot| (slot.place, slot.sequence, slot.ticks));
        let Some(stream) = &mut self.stream else { return Next::Nothing };
        let Some((place, sequence, length)) = first else {
            if stream.made_up == MADE_UP {
                stream.is_heard = false;
                return Next::Nothing;
            }
            // What is missing may come yet: it is heard then, later than it would have been.
            stream.made_up += 1;
            return Next::Lost { ticks: tick, next: None };
        };
        let step = u32::try_from(place.wrapping_sub(stream.place) as i32).unwrap_or(0);
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
            stream.place = stream.place.wrapping_add(ticks);
            let next = self.waiting.first().filter(|_| ticks == step).map(|slot| &slot.payload[..]);
            return Next::Lost { ticks, next };
        }
        let ticks = step.min(tick);
        stream.place = stream.place.wrapping_add(ticks);
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
        (stream.place, stream.sequence) = (first.place, first.sequence);
        (stream.is_heard, stream.made_up) = (true, 0);
        (stream.least, stream.ticked) = (u32::MAX, 0);
        true
    }

    fn give(&mut self) -> Next<'_> {
        let Some(slot) = self.waiting.take_first() else { return Next::Nothing };
        if let Some(stream) = &mut self.stream {
            stream.pass(&slot);
            stream.made_up = 0;
        }
        self.waiting.give_back(std::mem::replace(&mut self.given, slot.payload));
        Next::Sound(&self.given)
    }
}
