//! Two streams to one stereo recording. Each stream's timestamps place its samples: packets that a stalled network
//! delivers late still go where they belong, while that is open. Where the two clocks disagree for long, or by far,
//! arrival decides. Gaps are silence, and the open part is bounded whatever timestamps say. Positions are samples
//! since the recording began. Of a pause nothing is kept, not what comes late either.

use std::collections::VecDeque;

use crate::{RATE, g711, g711::Law, samples};

/// How far ahead of its arrival a packet may be placed: 300 ms. Nothing arrives before it was said; the first packet,
/// from which the others count, may have been late itself.
const AHEAD: u64 = RATE as u64 * 3 / 10;
/// So many packets in a row whose timestamps can't be right, and the stream is placed anew.
const STRAYS: u8 = 10;
/// One packet suffices when its timestamp is this far from its arrival: 5 s.
const FAR: u64 = RATE as u64 * 5;
/// The most that is kept open behind what was taken: 10 s.
const OPEN: u64 = RATE as u64 * 10;

/// Bytes of one sample of both sides.
const SAMPLE: usize = 4;

/// Which ear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// A recording being put together.
#[derive(Debug, Clone)]
pub struct Aligner {
    began_us: u64,
    taken: u64,
    /// Nothing is placed before it: the end of the last pause, or the end of time in a pause.
    floor: u64,
    sides: [Channel; 2],
}

#[derive(Debug, Clone, Default)]
struct Channel {
    /// Samples from the aligner's `taken` on.
    open: VecDeque<i16>,
    anchor: Option<Anchor>,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    stream: u64,
    timestamp: u32,
    position: u64,
    /// Packets in a row that did not fit.
    strays: u8,
}

/// One packet's sound.
#[derive(Debug, Clone, Copy)]
pub struct Sound<'a> {
    /// Names the stream (endpoint and SSRC): timestamps of another are not comparable.
    pub stream: u64,
    pub timestamp: u32,
    pub law: Law,
    pub payload: &'a [u8],
}

impl Aligner {
    /// The recording begins now.
    pub fn new(began_us: u64) -> Self {
        Self { began_us, taken: 0, floor: 0, sides: Default::default() }
    }

    /// Places one packet that arrived at `now_us`.
    pub fn add(&mut self, side: Side, sound: Sound<'_>, now_us: u64) {
        let arrival = self.position(now_us);
        let (taken, floor, channel) = (self.taken, self.floor, &mut self.sides[side as usize]);
        let position = channel.place(&sound, arrival, taken);
        channel.write(position, (taken, floor), &sound);
    }

    /// From `now_us` on there is silence, whatever comes.
    pub fn pause(&mut self, now_us: u64) {
        self.floor = u64::MAX;
        let kept = self.position(now_us).saturating_sub(self.taken) as usize;
        self.sides.iter_mut().for_each(|channel| channel.forget_after(kept));
    }

    /// What is said from `now_us` on is kept again. Streams keep their places, so what was said before and comes only now
    /// is known for it.
    pub fn resume(&mut self, now_us: u64) {
        self.floor = self.position(now_us).max(self.taken);
    }

    /// Where the recording stands at `now_us`.
    pub fn position(&self, now_us: u64) -> u64 {
        samples(now_us.saturating_sub(self.began_us))
    }

    /// What was taken so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Appends interleaved 16-bit little-endian samples, left first, up to `position`, silence where nothing came.
    /// What is behind it is closed for good. Takes at most 10 s at once; ask again while `taken` falls short.
    pub fn take(&mut self, position: u64, out: &mut Vec<u8>) {
        let count = position.saturating_sub(self.taken).min(OPEN) as usize;
        let start = out.len();
        out.resize(start + count * SAMPLE, 0);
        for (side, channel) in self.sides.iter_mut().enumerate() {
            let heard = count.min(channel.open.len());
            let places = out[start..].chunks_exact_mut(SAMPLE);
            for (sample, place) in channel.open.drain(..heard).zip(places) {
                place[2 * side..][..2].copy_from_slice(&sample.to_le_bytes());
            }
        }
        self.taken += count as u64;
    }
}

impl Channel {
    /// The packet's position: by its timestamp, or by arrival when that can't be right.
    fn place(&mut self, sound: &Sound<'_>, arrival: u64, taken: u64) -> u64 {
        let Some((anchor, position)) = self.by_timestamp(sound) else {
            return self.anchor_at(sound, arrival);
        };
        let is_ahead = position > arrival + AHEAD;
        let is_late = position + sound.payload.len() as u64 <= taken;
        if !is_ahead && !is_late {
            self.anchor = Some(Anchor { timestamp: sound.timestamp, position, strays: 0, ..anchor });
            return position;
        }
        if anchor.strays + 1 >= STRAYS || position.abs_diff(arrival) > FAR {
            return self.anchor_at(sound, arrival);
        }
        self.anchor = Some(Anchor { strays: anchor.strays + 1, ..anchor });
        // What is too late stays out. What claims to come from the future is heard when it came.
        if is_late { position } else { arrival }
    }

    /// The anchor, if it is of the packet's stream, and where the timestamps put the packet.
    fn by_timestamp(&self, sound: &Sound<'_>) -> Option<(Anchor, u64)> {
        let anchor = self.anchor.filter(|anchor| anchor.stream == sound.stream)?;
        let ahead = i64::from(sound.timestamp.wrapping_sub(anchor.timestamp) as i32);
        Some((anchor, anchor.position.checked_add_signed(ahead)?))
    }

    fn anchor_at(&mut self, sound: &Sound<'_>, position: u64) -> u64 {
        let (stream, timestamp) = (sound.stream, sound.timestamp);
        self.anchor = Some(Anchor { stream, timestamp, position, strays: 0 });
        position
    }

    /// Drops what is open beyond so many samples, in memory, too.
    fn forget_after(&mut self, kept: usize) {
        if let Some(rest) = self.open.len().checked_sub(kept) {
            self.open.range_mut(kept..kept + rest).for_each(|sample| *sample = 0);
            self.open.truncate(kept);
        }
    }

    /// Writes what lies between `taken`, or `floor` where that is later, and the end of the open part.
    fn write(&mut self, position: u64, (taken, floor): (u64, u64), sound: &Sound<'_>) {
        let skipped = taken.max(floor).saturating_sub(position).min(sound.payload.len() as u64) as usize;
        let payload = &sound.payload[skipped..];
        if payload.is_empty() {
            return;
        }
        let start = (position + skipped as u64).saturating_sub(taken).min(OPEN) as usize;
        let end = (start + payload.len()).min(OPEN as usize);
        if self.open.len() < end {
            self.open.resize(end, 0);
        }
        let places = self.open.range_mut(start..end);
        places.zip(payload).for_each(|(place, byte)| *place = g711::decode(sound.law, *byte));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{FRAME, FRAME_US};

    /// A frame of `level` in mu-law.
    fn frame(level: i16) -> Vec<u8> {
        vec![g711::encode(Law::Mu, level); FRAME]
    }

    fn add(aligner: &mut Aligner, side: Side, stream: u64, timestamp: u32, level: i16, now_us: u64) {
        let payload = frame(level);
        aligner.add(side, Sound { stream, timestamp, law: Law::Mu, payload: &payload }, now_us);
    }

    fn taken(aligner: &mut Aligner, position: u64) -> Vec<(i16, i16)> {
        let mut bytes = Vec::new();
        aligner.take(position, &mut bytes);
        bytes
            .chunks(4)
            .map(|c| (i16::from_le_bytes([c[0], c[1]]), i16::from_le_bytes([c[2], c[3]])))
            .collect()
    }

    #[test]
    fn left_is_left_and_right_is_right() {
        let mut aligner = Aligner::new(1_000_000);
        add(&mut aligner, Side::Left, 1, 7000, 1000, 1_000_000);
        add(&mut aligner, Side::Right, 2, 99, -2000, 1_000_000 + FRAME_US);
        let all = taken(&mut aligner, 320);
        assert!(all[..160].iter().all(|(l, r)| (*l - 1000).abs() < 40 && *r == 0));
        assert!(all[160..].iter().all(|(l, r)| *l == 0 && (*r + 2000).abs() < 80));
    }

    #[test]
    fn late_packets_fill_their_gap_and_lost_ones_are_silence() {
        let mut aligner = Aligner::new(0);
        for (number, at) in [(0, 0), (2, 40_000), (1, 45_000), (4, 80_000)] {
            add(&mut aligner, Side::Left, 1, number * 160, 500, at);
        }
        let heard: Vec<bool> =
            taken(&mut aligner, 800).chunks(160).map(|f| f.iter().all(|s| s.0 != 0)).collect();
        assert_eq!(heard, [true, true, true, false, true]);
        add(&mut aligner, Side::Left, 1, 3 * 160, 500, 100_000);
        assert_eq!(taken(&mut aligner, 960), [(0, 0); 160], "too late: its time was taken");
    }

    #[test]
    fn another_stream_or_a_jump_is_placed_by_arrival() {
        let mut aligner = Aligner::new(0);
        add(&mut aligner, Side::Right, 1, 100, 500, 0);
        add(&mut aligner, Side::Right, 2, 4_000_000, 500, 20_000);
        add(&mut aligner, Side::Right, 2, 9_000_000, 500, 40_000);
        assert!(taken(&mut aligner, 480).iter().all(|(_, r)| *r != 0));
    }

    #[test]
    fn a_stalled_network_leaves_what_came_in_time_where_it_is() {
        let mut aligner = Aligner::new(0);
        let sent = |aligner: &mut Aligner, number: u32, at_us: u64| {
            add(aligner, Side::Left, 1, number * 160, 1_000 + number as i16 * 100, at_us);
        };
        (0..10).for_each(|number| sent(&mut aligner, number, u64::from(number) * FRAME_US));
        // 400 ms nothing, then all at once, then as before.
        (10..30).for_each(|number| sent(&mut aligner, number, 30 * FRAME_US));
        (30..40).for_each(|number| sent(&mut aligner, number, u64::from(number) * FRAME_US));
        for (number, frame) in taken(&mut aligner, 40 * 160).chunks(160).enumerate() {
            let level = 1_000 + number as i16 * 100;
            assert!(frame.iter().all(|(left, _)| (left - level).abs() < 200), "frame {number}");
        }
    }

    #[test]
    fn a_clock_that_slipped_is_followed_after_ten_packets_and_a_single_one_not() {
        let mut aligner = Aligner::new(0);
        let at = |number: u32| u64::from(number) * FRAME_US;
        add(&mut aligner, Side::Left, 1, 0, 500, 0);
        add(&mut aligner, Side::Left, 1, 160 + 8_000, 500, at(1));
        add(&mut aligner, Side::Left, 1, 320, 500, at(2));
        assert!(taken(&mut aligner, 480).iter().all(|(left, _)| *left != 0), "heard when it came");
        // The far end's timestamps stand still for two seconds.
        taken(&mut aligner, 102 * 160);
        (102..130).for_each(|number| add(&mut aligner, Side::Left, 1, (number - 99) * 160, 500, at(number)));
        let heard: Vec<bool> = taken(&mut aligner, 130 * 160).iter().map(|(left, _)| *left != 0).collect();
        assert_eq!(heard.iter().position(|heard| *heard), Some(9 * 160), "the tenth is believed");
        assert!(heard[9 * 160..].iter().all(|heard| *heard));
    }

    #[test]
    fn of_a_pause_nothing_is_kept_and_both_sides_stay_where_they_were() {
        let mut aligner = Aligner::new(0);
        let say = |aligner: &mut Aligner, number: u32, at_us: u64| {
            add(aligner, Side::Left, 1, number * 160, 500, at_us);
            add(aligner, Side::Right, 2, number * 160, -500, at_us);
        };
        (0..10).for_each(|number| say(&mut aligner, number, u64::from(number) * FRAME_US));
        aligner.pause(8 * FRAME_US + FRAME_US / 2);
        (10..20).for_each(|number| say(&mut aligner, number, u64::from(number) * FRAME_US));
        aligner.resume(20 * FRAME_US);
        // Said in the pause, and late: alone, and all at once after a stall.
        (15..20).for_each(|number| say(&mut aligner, number, 21 * FRAME_US));
        (20..30).for_each(|number| say(&mut aligner, number, u64::from(number) * FRAME_US));
        let all = taken(&mut aligner, 30 * 160);
        let heard = |(left, right): &(i16, i16)| [*left != 0, *right != 0];
        assert!(all[..8 * 160 + 80].iter().all(|one| heard(one) == [true; 2]), "before");
        assert!(all[8 * 160 + 80..20 * 160].iter().all(|one| *one == (0, 0)), "the pause");
        assert!(all[20 * 160..].iter().all(|one| heard(one) == [true; 2]), "after");
    }

    #[test]
    fn the_length_is_what_was_asked_for() {
        let mut aligner = Aligner::new(0);
        assert_eq!(taken(&mut aligner, 8000).len(), 8000);
        assert_eq!(taken(&mut aligner, 8_000_000).len(), OPEN as usize);
        assert_eq!(aligner.taken(), 8000 + OPEN);
    }

    proptest! {
        /// As the recorder does it: what is older than half a second is closed.
        #[test]
        fn any_delay_up_to_450_ms_leaves_every_sample_in_place(
            delays in proptest::collection::vec(0..450_000u64, 1..150),
        ) {
            let mut arrivals: Vec<(u64, u32)> = vec![(0, 0)];
            arrivals.extend((1..).zip(&delays).map(|(number, delay)| (u64::from(number) * FRAME_US + delay, number)));
            arrivals.sort_unstable();
            let (mut aligner, mut out) = (Aligner::new(0), Vec::new());
            for (at_us, number) in arrivals {
                aligner.take(aligner.position(at_us.saturating_sub(500_000)), &mut out);
                add(&mut aligner, Side::Right, 9, 77 + number * 160, 300 + 20 * number as i16, at_us);
            }
            aligner.take((delays.len() as u64 + 1) * 160, &mut out);
            for (number, frame) in out.chunks_exact(160 * SAMPLE).enumerate() {
                let expected = g711::decode(Law::Mu, g711::encode(Law::Mu, 300 + 20 * number as i16));
                prop_assert!(frame.chunks(SAMPLE).all(|s| s[2..] == expected.to_le_bytes()), "frame {}", number);
            }
        }

        #[test]
        fn the_open_part_is_bounded_whatever_comes(
            packets in proptest::collection::vec((any::<bool>(), 0..3u64, any::<u32>(), 0..100_000_000u64), 0..100),
        ) {
            let mut aligner = Aligner::new(50_000);
            for (left, stream, timestamp, at) in packets {
                let side = if left { Side::Left } else { Side::Right };
                add(&mut aligner, side, stream, timestamp, 5, at);
                prop_assert!(aligner.sides.iter().all(|c| c.open.len() as u64 <= OPEN));
            }
        }
    }
}
