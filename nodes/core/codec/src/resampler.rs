//! Sound from 8 to 16 kHz and back, piece by piece: a half-band filter of 47 coefficients, of which every other is
//! zero. Flat to 3.4 kHz (0.01 dB), 60 dB down from 4.6 kHz; what lies between falls into itself. It delays the sound by
//! 1.4 ms, as any filter of this steepness. (`mangrove-rtp`'s `resample` is for whole prompts of any rate.)

/// Half of the coefficients other than zero, from the middle outwards: those of a windowed sinc (Kaiser, beta 5.65) that
/// stands for a gain of two, in units of 2^-14. Their sum is one half.
const TAPS: [i32; 12] = [10_391, -3342, 1865, -1194, 799, -539, 358, -230, 140, -80, 40, -16];
/// Samples that are kept for the next piece: all coefficients but one.
const KEPT: usize = 46;
/// Samples that are taken at once: 20 ms at 16 kHz.
const PIECE: usize = 320;

/// One stream's way from one rate to another.
#[derive(Debug, Clone)]
pub struct Resampler {
    way: Way,
    /// What is kept, and behind it a piece.
    line: Box<[i16]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Same,
    Up,
    Down,
}

impl Resampler {
    /// For rates of 8000 and 16000 samples a second, in either order or the same. Nothing was heard yet: silence.
    pub fn new(from: u32, to: u32) -> Self {
        let way = match from.cmp(&to) {
            std::cmp::Ordering::Less => Way::Up,
            std::cmp::Ordering::Equal => Way::Same,
            std::cmp::Ordering::Greater => Way::Down,
        };
        Self { way, line: vec![0i16; KEPT + PIECE].into() }
    }

    /// How many samples so many become.
    pub fn length(&self, samples: usize) -> usize {
        match self.way {
            Way::Same => samples,
            Way::Up => samples * 2,
            Way::Down => samples / 2,
        }
    }

    /// Writes the next piece of the sound to the beginning of `out`, and gives how many samples that are: what `length`
    /// says, or what `out` holds. Downwards the pieces should have an even number of samples: an odd one's last is lost.
    pub fn resample_into(&mut self, samples: &[i16], out: &mut [i16]) -> usize {
        let mut written = 0;
        for piece in samples.chunks(PIECE) {
            let room = &mut out[written..];
            let count = self.length(piece.len()).min(room.len());
            self.line[KEPT..KEPT + piece.len()].copy_from_slice(piece);
            match self.way {
                Way::Same => room[..count].copy_from_slice(&piece[..count]),
                Way::Up => self.up(&mut room[..count]),
                Way::Down => self.down(&mut room[..count]),
            }
            self.line.copy_within(piece.len()..piece.len() + KEPT, 0);
            written += count;
        }
        written
    }

    /// Forgets what was heard.
    pub fn reset(&mut self) {
        self.line.fill(0);
    }

    /// Each sample and, before it, the one between it and the last.
    fn up(&self, out: &mut [i16]) {
        for (window, pair) in self.line[KEPT - 23..].windows(24).zip(out.chunks_mut(2)) {
            let (before, after) = window.split_at(12);
            let between = rounded(sides(before.iter().rev().zip(after)), 14);
            let both = [between, after[0]];
            pair.copy_from_slice(&both[..pair.len()]);
        }
    }

    /// One sample for two.
    fn down(&self, out: &mut [i16]) {
        for (window, sample) in self.line[1..].windows(47).step_by(2).zip(out) {
            let (before, after) = (window[..23].iter().rev().step_by(2), window[24..].iter().step_by(2));
            *sample = rounded((i32::from(window[23]) << 14) + sides(before.zip(after)), 15);
        }
    }
}

/// The filter's part that is symmetrical: pairs from the middle outwards. With the middle it stays below 2^31.
fn sides<'a>(pairs: impl Iterator<Item = (&'a i16, &'a i16)>) -> i32 {
    TAPS.iter().zip(pairs).map(|(tap, (a, b))| tap * (i32::from(*a) + i32::from(*b))).sum()
}

fn rounded(sum: i32, bits: u32) -> i16 {
    ((sum + (1 << (bits - 1))) >> bits).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use mangrove_rtp::tone;
    use proptest::prelude::*;

    use super::*;

    fn resampled(from: u32, to: u32, samples: &[i16]) -> Vec<i16> {
        let mut resampler = Resampler::new(from, to);
        let mut out = vec![0; resampler.length(samples.len())];
        assert_eq!(resampler.resample_into(samples, &mut out), out.len());
        out
    }

    /// `tone` knows 8 kHz only: a tone at 16 kHz is one of half the pitch to it.
    #[test]
    fn tones_of_the_telephone_band_keep_their_level() {
        for hertz in [200.0, 440.0, 1000.0, 2000.0, 3000.0, 3400.0] {
            let up = resampled(8000, 16_000, &tone::sine(hertz, 8000.0, 0, 8000));
            let level = tone::level(&up[800..], hertz / 2.0);
            assert!((level - 8000.0).abs() < 160.0, "up, {hertz}: {level}");
            let down = resampled(16_000, 8000, &tone::sine(hertz / 2.0, 8000.0, 0, 16_000));
            let level = tone::level(&down[400..], hertz);
            assert!((level - 8000.0).abs() < 160.0, "down, {hertz}: {level}");
        }
    }

    #[test]
    fn what_the_lower_rate_has_no_room_for_is_gone() {
        for hertz in [4700.0, 5000.0, 6000.0, 7500.0] {
            let down = resampled(16_000, 8000, &tone::sine(hertz / 2.0, 8000.0, 0, 16_000));
            assert!(down[100..].iter().all(|sample| sample.abs() < 32), "{hertz}");
            let mirror = 8000.0 - hertz;
            let up = resampled(8000, 16_000, &tone::sine(mirror, 8000.0, 0, 8000));
            let level = tone::level(&up[800..], hertz / 2.0);
            assert!(level < 80.0, "the mirror of {mirror}: {level}");
        }
    }

    #[test]
    fn a_level_that_does_not_change_stays_itself_and_the_loudest_is_no_overflow() {
        for level in [i16::MIN, -1, 0, 1, 1000, i16::MAX] {
            assert!(resampled(8000, 16_000, &[level; 400])[100..].iter().all(|sample| *sample == level));
            assert!(resampled(16_000, 8000, &[level; 400])[50..].iter().all(|sample| *sample == level));
        }
        let loudest: Vec<i16> = (0..400).map(|n| if n % 3 == 0 { i16::MIN } else { i16::MAX }).collect();
        assert_eq!(resampled(8000, 16_000, &loudest).len(), 800);
        assert_eq!(resampled(16_000, 8000, &loudest).len(), 200);
        assert_eq!(resampled(8000, 8000, &loudest), loudest);
    }

    proptest! {
        #[test]
        fn pieces_of_any_length_give_the_same_as_the_whole(
            samples in proptest::collection::vec(any::<i16>(), 0..2000),
            pieces in proptest::collection::vec(0..400usize, 1..20),
            up: bool,
        ) {
            let (from, to) = if up { (8000, 16_000) } else { (16_000, 8000) };
            let mut resampler = Resampler::new(from, to);
            let (mut rest, mut all, mut out) = (&samples[..samples.len() / 2 * 2], Vec::new(), [0; 4000]);
            for piece in pieces.iter().cycle().take(200).map(|length| length / 2 * 2).chain([2000]) {
                let (piece, behind) = rest.split_at(piece.min(rest.len()));
                let count = resampler.resample_into(piece, &mut out);
                all.extend_from_slice(&out[..count]);
                rest = behind;
            }
            prop_assert_eq!(all, resampled(from, to, &samples[..samples.len() / 2 * 2]));
        }

        #[test]
        fn what_does_not_fit_is_left_out(count in 0..1000usize, room in 0..1000usize) {
            for (from, to) in [(8000, 16_000), (16_000, 8000), (8000, 8000)] {
                let mut resampler = Resampler::new(from, to);
                let written = resampler.resample_into(&vec![3; count], &mut vec![0; room]);
                prop_assert!(written <= room && written <= resampler.length(count));
            }
        }
    }
}
