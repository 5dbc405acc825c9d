//! Two streams to one stereo recording. Each stream's timestamps place its samples; where the two clocks disagree for
//! long, arrival decides. Gaps are silence, late packets fill theirs while it is still open, and the open part is
//! bounded whatever timestamps say. Positions are samples since the recording began.

use std::collections::VecDeque;

use crate::{RATE, g711, g711::Law, samples};

/// How far a stream's timestamps may stray from its arrivals before it is placed anew: 300 ms.
const STRAY: u64 = RATE as u64 * 3 / 10;
/// The most that is kept open behind what was taken: 10 s.
const OPEN: u64 = RATE as u64 * 10;

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
        Self { began_us, taken: 0, sides: Default::default() }
    }

    /// Places one packet that arrived at `now_us`.
    pub fn add(&mut self, side: Side, sound: Sound<'_>, now_us: u64) {
        let arrival = self.position(now_us);
        let (taken, channel) = (self.taken, &mut self.sides[side as usize]);
        let position = channel.place(&sound, arrival);
        channel.write(position, taken, &sound);
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
        let count = position.saturating_sub(self.taken).min(OPEN);
        out.reserve(count as usize * 4);
        for _ in 0..count {
            for channel in &mut self.sides {
                out.extend_from_slice(&channel.open.pop_front().unwrap_or(0).to_le_bytes());
            }
        }
        self.taken += count;
    }
}

impl Channel {
    /// The packet's position by its timestamp, or by arrival when that strays too far.
    fn place(&mut self, sound: &Sound<'_>, arrival: u64) -> u64 {
        if let Some(anchor) = self.anchor
            && anchor.stream == sound.stream
        {
            let ahead = i64::from(sound.timestamp.wrapping_sub(anchor.timestamp) as i32);
            if let Some(position) = anchor.position.checked_add_signed(ahead)
                && position.abs_diff(arrival) <= STRAY
            {
                self.anchor = Some(Anchor { stream: sound.stream, timestamp: sound.timestamp, position });
                return position;
            }
        }
        self.anchor = Some(Anchor { stream: sound.stream, timestamp: sound.timestamp, position: arrival });
        arrival
    }

    fn write(&mut self, position: u64, taken: u64, sound: &Sound<'_>) {
        for (index, byte) in sound.payload.iter().enumerate() {
            let Some(offset) = (position + index as u64).checked_sub(taken) else { continue };
            if offset >= OPEN {
                return;
            }
            let offset = offset as usize;
            if self.open.len() <= offset {
                self.open.resize(offset + 1, 0);
            }
            self.open[offset] = g711::decode(sound.law, *byte);
        }
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
    fn the_length_is_what_was_asked_for() {
        let mut aligner = Aligner::new(0);
        assert_eq!(taken(&mut aligner, 8000).len(), 8000);
        assert_eq!(taken(&mut aligner, 8_000_000).len(), OPEN as usize);
        assert_eq!(aligner.taken(), 8000 + OPEN);
    }

    proptest! {
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
