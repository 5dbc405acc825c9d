//! From any rate to 8 kHz, simply: good enough for speech prompts. Downwards each sample is the mean of what it
//! stands for, upwards a straight line between neighbours.

use crate::RATE;

/// The samples at 8 kHz. A rate of zero gives nothing.
pub fn to_8k(samples: &[i16], rate: u32) -> Vec<i16> {
    match rate {
        0 => Vec::new(),
        RATE => samples.to_vec(),
        _ if rate > RATE => means(samples, rate),
        _ => lines(samples, rate),
    }
}

fn length(samples: &[i16], rate: u32) -> usize {
    (samples.len() as u64 * u64::from(RATE) / u64::from(rate)) as usize
}

fn means(samples: &[i16], rate: u32) -> Vec<i16> {
    let at = |index: usize| (index as u64 * u64::from(rate) / u64::from(RATE)) as usize;
    (0..length(samples, rate))
        .map(|index| {
            let part = &samples[at(index)..at(index + 1).min(samples.len())];
            let sum: i64 = part.iter().map(|s| i64::from(*s)).sum();
            (sum / part.len().max(1) as i64) as i16
        })
        .collect()
}

fn lines(samples: &[i16], rate: u32) -> Vec<i16> {
    (0..length(samples, rate))
        .map(|index| {
            let place = index as u64 * u64::from(rate);
            let (whole, part) = ((place / u64::from(RATE)) as usize, (place % u64::from(RATE)) as i64);
            let (a, b) = (i64::from(samples[whole]), i64::from(samples[(whole + 1).min(samples.len() - 1)]));
            (a + (b - a) * part / i64::from(RATE)) as i16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tone;

    #[test]
    fn a_tone_keeps_its_pitch_and_loudness() {
        for rate in [6000, 8000, 11_025, 16_000, 22_050, 44_100, 48_000] {
            let there: Vec<i16> = (0..rate)
                .map(|i| {
                    ((f64::from(i) * 440.0 * std::f64::consts::TAU / f64::from(rate)).sin() * 8000.0) as i16
                })
                .collect();
            let here = to_8k(&there, rate);
            assert_eq!(here.len(), 8000, "{rate}");
            let level = tone::level(&here, 440.0);
            assert!((7000.0..8500.0).contains(&level), "{rate}: {level}");
        }
    }

    proptest! {
        #[test]
        fn any_rate_gives_that_share_of_samples(count in 0..2000usize, rate in 0..200_000u32) {
            let length = to_8k(&vec![7; count], rate).len();
            let expected = if rate == 0 { 0 } else { (count as u64 * 8000 / u64::from(rate)) as usize };
            prop_assert_eq!(length, expected);
        }
    }
}
