//! What telephone networks say without words, country by country (ITU-T E.180, supplement 2): that a phone rings, that it is
//! busy, that there is no way to it. And how a conference asks for its PIN.

use std::f64::consts::TAU;

use mangrove_rtp::RATE;

/// About -16 dBm0 for each frequency.
const LOUDNESS: f64 = 4200.0;
/// How long a caller should hear that nobody can be reached, at least, in milliseconds.
const HEARD_MS: usize = 4000;

/// Frequencies in Hz, and milliseconds of sound and silence by turns.
struct Tone {
    hertz: &'static [f64],
    cadence: &'static [usize],
}

const fn tone(hertz: &'static [f64], cadence: &'static [usize]) -> Tone {
    Tone { hertz, cadence }
}

/// Country, ringing, busy, reorder.
static TONES: [(&str, [Tone; 3]); 5] = [
    ("de", [tone(&[425.0], &[1000, 4000]), tone(&[425.0], &[480, 480]), tone(&[425.0], &[240, 240])]),
    ("fr", [tone(&[440.0], &[1500, 3500]), tone(&[440.0], &[500, 500]), tone(&[440.0], &[250, 250])]),
    (
        "gb",
        [
            tone(&[400.0, 450.0], &[400, 200, 400, 2000]),
            tone(&[400.0], &[375, 375]),
            tone(&[400.0], &[400, 350, 225, 525]),
        ],
    ),
    ("ru", [tone(&[425.0], &[1000, 4000]), tone(&[425.0], &[400, 400]), tone(&[425.0], &[200, 200])]),
    (
        "us",
        [
            tone(&[440.0, 480.0], &[2000, 4000]),
            tone(&[480.0, 620.0], &[500, 500]),
            tone(&[480.0, 620.0], &[250, 250]),
        ],
    ),
];

/// What asks for a conference's PIN without a word; a company that has words for it uploads them under the same name.
static PIN: Tone = tone(&[620.0], &[150, 100, 150, 300]);

/// All of them by key. Ringing is music, one turn that is played over and over; the others are prompts of some seconds.
pub(super) fn all() -> impl Iterator<Item = (String, Vec<i16>)> {
    let countries = TONES.iter().flat_map(|(country, [ringback, busy, reorder])| {
        [
            (format!("music/en/ringback-{country}"), turn(ringback)),
            (format!("prompt/en/busy-{country}"), turns(busy)),
            (format!("prompt/en/reorder-{country}"), turns(reorder)),
        ]
    });
    countries.chain([("prompt/en/conference-pin".to_owned(), turn(&PIN))])
}

/// After it a caller speaks into a box.
pub(super) fn beep() -> Vec<i16> {
    turn(&tone(&[1000.0], &[400]))
}

fn turns(tone: &Tone) -> Vec<i16> {
    let length: usize = tone.cadence.iter().sum();
    turn(tone).repeat(HEARD_MS.div_ceil(length.max(1)))
}

/// One turn of the cadence.
fn turn(tone: &Tone) -> Vec<i16> {
    let mut sound = Vec::new();
    for (at, length) in tone.cadence.iter().enumerate() {
        let begin = sound.len();
        let end = begin + length * RATE as usize / 1000;
        let is_heard = at.is_multiple_of(2);
        sound.extend((begin..end).map(|n| if is_heard { sample(tone.hertz, n) } else { 0 }));
    }
    sound
}

fn sample(hertz: &[f64], n: usize) -> i16 {
    let time = n as f64 / f64::from(RATE);
    (hertz.iter().map(|hertz| (time * hertz * TAU).sin()).sum::<f64>() * LOUDNESS) as i16
}

#[cfg(test)]
mod tests {
    use mangrove_rtp::tone;

    use super::*;

    #[test]
    fn each_has_its_frequencies_and_its_cadence() {
        for (country, tones) in &TONES {
            for tone in tones {
                let sound = turn(tone);
                let heard = tone.cadence[0] * 8;
                for hertz in tone.hertz {
                    let level = tone::level(&sound[..heard], *hertz);
                    assert!((level - LOUDNESS).abs() < LOUDNESS / 5.0, "{country} {hertz}: {level}");
                }
                let silent = heard..heard + tone.cadence[1] * 8;
                assert!(sound[silent].iter().all(|sample| *sample == 0), "{country}");
                assert_eq!(sound.len(), tone.cadence.iter().sum::<usize>() * 8);
                assert!(turns(tone).len() >= 8 * HEARD_MS);
            }
        }
    }
}
