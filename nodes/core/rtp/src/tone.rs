//! Pure tones: made to be sent, and measured in what was heard. A test that hears its own tone at the other end has
//! heard the whole way.

use std::f64::consts::TAU;

use crate::RATE;

/// `count` samples of a tone, beginning at sample `from` of it, so that frames join without clicks.
pub fn sine(hertz: f64, amplitude: f64, from: u64, count: usize) -> Vec<i16> {
    (from..from + count as u64)
        .map(|n| ((n as f64 * hertz * TAU / f64::from(RATE)).sin() * amplitude) as i16)
        .collect()
}

/// The amplitude of a tone in the samples (Goertzel): the same number that `sine` was given, when nothing else
/// sounds. Silence gives zero.
pub fn level(samples: &[i16], hertz: f64) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let coefficient = 2.0 * (hertz * TAU / f64::from(RATE)).cos();
    let (mut s1, mut s2) = (0.0, 0.0);
    for sample in samples {
        let s0 = f64::from(*sample) + coefficient * s1 - s2;
        (s1, s2) = (s0, s1);
    }
    let power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_and_others_are_not() {
        let samples = sine(440.0, 5000.0, 3, 1600);
        assert!((level(&samples, 440.0) - 5000.0).abs() < 50.0);
        assert!(level(&samples, 1000.0) < 100.0);
        assert!(level(&samples, 350.0) < 250.0);
        assert_eq!(level(&[], 440.0), 0.0);
    }

    #[test]
    fn frames_join() {
        let whole = sine(440.0, 5000.0, 0, 320);
        assert_eq!([sine(440.0, 5000.0, 0, 160), sine(440.0, 5000.0, 160, 160)].concat(), whole);
    }
}
