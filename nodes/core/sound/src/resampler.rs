//! From any rate to 8 kHz, for files: a windowed sinc that is exact for every ratio, because the places of our samples
//! between theirs repeat. Flat to 3.3 kHz, 70 dB down from 4 kHz. It delays nothing: it knows what comes.

use std::f64::consts::PI;

use crate::RATE;

/// Zero crossings of the sinc on each side.
const ZEROS: f64 = 32.0;
/// Where it has fallen to a half, as a part of the lower rate's bandwidth.
const EDGE: f64 = 0.92;

/// One file's way to 8 kHz.
pub(crate) struct Resampler {
    rate: usize,
    /// Taps on each side of a place.
    half: usize,
    /// One filter for each place that a sample of ours may have between theirs.
    filters: Vec<Box<[f32]>>,
    /// What may still be needed, beginning with sample `from` of theirs (silence stands before the first).
    line: Vec<f32>,
    from: usize,
    /// The next sample of ours.
    next: usize,
    /// Samples of theirs so far.
    heard: usize,
}

impl Resampler {
    /// The rate must not be zero.
    pub(crate) fn new(rate: u32) -> Self {
        let places = RATE / divisor(rate, RATE);
        let cut = EDGE * (f64::from(RATE) / f64::from(rate)).min(1.0);
        let half = (ZEROS / cut).ceil() as usize;
        let filters =
            (0..places).map(|place| filter(f64::from(place) / f64::from(places), cut, half)).collect();
        Self { rate: rate as usize, half, filters, line: vec![0.0; half], from: 0, next: 0, heard: 0 }
    }

    /// Takes the next samples, and adds to `out` what can be told by now.
    pub(crate) fn push(&mut self, samples: &[f32], out: &mut Vec<i16>) {
        if self.is_same() {
            return out.extend(samples.iter().map(|sample| rounded(*sample)));
        }
        self.line.extend_from_slice(samples);
        self.heard += samples.len();
        self.drain(out);
    }

    /// Adds the rest: silence follows.
    pub(crate) fn finish(&mut self, out: &mut Vec<i16>) {
        if self.is_same() {
            return;
        }
        self.line.resize(self.line.len() + self.half, 0.0);
        self.drain(out);
    }

    fn is_same(&self) -> bool {
        self.rate == RATE as usize
    }

    /// `line` begins `half` samples before the first that a place may stand at, so a place's taps begin at its own index.
    fn drain(&mut self, out: &mut Vec<i16>) {
        let ours = RATE as usize;
        loop {
            let (whole, part) = (self.next * self.rate / ours, self.next * self.rate % ours);
            let begin = whole + 1 - self.from;
            let Some(taps) = self.line.get(begin..begin + 2 * self.half) else { break };
            if whole >= self.heard {
                break;
            }
            let filter = &self.filters[part * self.filters.len() / ours];
            out.push(sample(taps, filter));
            self.next += 1;
        }
        let needed = (self.next * self.rate / ours + 1 - self.from).min(self.line.len());
        self.line.drain(..needed);
        self.from += needed;
    }
}

fn divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// Taps for a place that far behind a sample: from `half - 1` samples before it to `half` behind it. Their sum is one, so
/// that a level stays itself.
fn filter(behind: f64, cut: f64, half: usize) -> Box<[f32]> {
    let tap = |index: usize| {
        let distance = (index as f64 - (half as f64 - 1.0) - behind) * cut;
        sinc(distance) * window(distance / (half as f64 * cut))
    };
    let taps: Vec<f64> = (0..2 * half).map(tap).collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Blackman's, from -1 to 1.
fn window(x: f64) -> f64 {
    if x.abs() > 1.0 { 0.0 } else { 0.42 + 0.5 * (PI * x).cos() + 0.08 * (2.0 * PI * x).cos() }
}

/// Four sums at once, which a processor can do side by side.
fn sample(taps: &[f32], filter: &[f32]) -> i16 {
    let mut sums = [0.0f32; 4];
    for (taps, filter) in taps.chunks(4).zip(filter.chunks(4)) {
        for ((sum, tap), factor) in sums.iter_mut().zip(taps).zip(filter) {
            *sum += tap * factor;
        }
    }
    rounded(sums.iter().sum())
}

/// `as` keeps to the bounds, and makes zero of what is no number.
fn rounded(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

#[cfg(test)]
mod tests {
    use mangrove_rtp::tone;
    use proptest::prelude::*;

    use super::*;

    fn sine(rate: u32, hertz: f64, count: u32) -> Vec<f32> {
        let at = |n: u32| (f64::from(n) * hertz * 2.0 * PI / f64::from(rate)).sin() * 0.25;
        (0..count).map(|n| at(n) as f32).collect()
    }

    fn resampled(rate: u32, samples: &[f32]) -> Vec<i16> {
        let (mut resampler, mut out) = (Resampler::new(rate), Vec::new());
        resampler.push(samples, &mut out);
        resampler.finish(&mut out);
        out
    }

    #[test]
    fn tones_of_the_telephone_band_keep_pitch_and_level() {
        for rate in [6000, 8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 44_101] {
            for hertz in [300.0, 440.0, 1000.0, 2400.0] {
                let here = resampled(rate, &sine(rate, hertz, rate));
                assert_eq!(here.len(), 8000, "{rate}");
                let level = tone::level(&here[400..7600], hertz);
                assert!((level - 8192.0).abs() < 200.0, "{hertz} at {rate}: {level}");
            }
        }
    }

    #[test]
    fn what_eight_kilohertz_have_no_room_for_is_gone() {
        for (rate, hertz) in [(16_000, 4200.0), (44_100, 5000.0), (48_000, 7560.0), (48_000, 15_000.0)] {
            let here = resampled(rate, &sine(rate, hertz, rate));
            assert!(here[400..7600].iter().all(|sample| sample.abs() < 20), "{hertz} at {rate}");
        }
    }

    #[test]
    fn the_loudest_is_no_overflow_and_what_is_no_number_is_silence() {
        assert!(resampled(44_100, &[4.0; 4000])[50..600].iter().all(|sample| *sample == i16::MAX));
        assert!(resampled(44_100, &[f32::NAN; 400]).iter().all(|sample| *sample == 0));
    }

    proptest! {
        #[test]
        fn pieces_of_any_length_give_the_same_as_the_whole(
            count in 0..3000u32,
            rate in prop_oneof![Just(8000u32), Just(44_100), Just(7999), Just(48_000)],
            pieces in proptest::collection::vec(1..700usize, 1..8),
        ) {
            let whole = sine(rate, 440.0, count);
            let (mut resampler, mut out, mut rest) = (Resampler::new(rate), Vec::new(), &whole[..]);
            for piece in pieces.iter().cycle() {
                let (piece, behind) = rest.split_at((*piece).min(rest.len()));
                resampler.push(piece, &mut out);
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            resampler.finish(&mut out);
            prop_assert_eq!(out.len() as u64, (u64::from(count) * 8000).div_ceil(u64::from(rate)));
            prop_assert_eq!(out, resampled(rate, &whole));
        }
    }
}
