//! A tone goes in, and the tone comes out.

use super::{AMPLITUDE, Heard, Talker, energy, feed, level, sound, tone_of};
use crate::{Encoding, Transcoder};

/// Two seconds of a tone through a transcoder, and the second of them as it is heard.
fn heard(from: Encoding, to: Encoding, hertz: f64) -> Vec<i16> {
    let talker = Talker::new(from, 20, tone_of(from, hertz, 2000));
    let mut transcoder = Transcoder::new(from, to, 20).unwrap();
    let frames: Vec<Heard> = talker.flat_map(|said| feed(&mut transcoder, &said)).collect();
    assert_eq!(frames.len(), 100, "{from:?} to {to:?}");
    let sound = sound(to, &frames);
    sound[sound.len() / 2..].to_vec()
}

/// How many decibels a pure tone stays above all else, at least.
fn purity(encoding: Encoding) -> f64 {
    match encoding {
        Encoding::Pcma | Encoding::Pcmu => 30.0,
        Encoding::G722 => 25.0,
        Encoding::Opus => 8.0,
        Encoding::G729 => 4.0,
    }
}

#[test]
fn a_tone_keeps_its_level_and_stays_pure_from_each_encoding_to_each() {
    for from in Encoding::ALL {
        for to in Encoding::ALL {
            let samples = heard(from, to, 440.0);
            let level = level(to, &samples, 440.0);
            let change = 20.0 * (level / AMPLITUDE).log10();
            // G.729 makes speech, not tones.
            let most = if from == Encoding::G729 || to == Encoding::G729 { 2.0 } else { 1.0 };
            assert!(change.abs() < most, "{from:?} to {to:?}: the level changes by {change} dB");
            let tone = level.powi(2) / 2.0 * samples.len() as f64;
            let rest = (energy(&samples) - tone).max(1.0);
            let purity = (purity(from).min(purity(to)) - 2.0, 10.0 * (tone / rest).log10());
            assert!(purity.1 > purity.0, "{from:?} to {to:?}: {purity:?} dB");
        }
    }
}

#[test]
fn wide_sound_stays_wide_where_there_is_room_and_is_not_mirrored_where_there_is_none() {
    for (from, to) in [(Encoding::G722, Encoding::Opus), (Encoding::Opus, Encoding::G722)] {
        let level = level(to, &heard(from, to, 5000.0), 5000.0);
        assert!(level > AMPLITUDE / 2.0, "{from:?} to {to:?}: {level}");
    }
    let narrow = heard(Encoding::G722, Encoding::Pcmu, 5000.0);
    assert!(level(Encoding::Pcmu, &narrow, 3000.0) < AMPLITUDE / 50.0);
}
