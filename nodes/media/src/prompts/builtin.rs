//! Sounds that every node has: for each language a spoken greeting and the fragments that numbers, times and places in
//! line are put together from (see `sounds/README.md`), and, made at its start, a quiet piece to wait by, the tones of
//! some countries, the tone after which a message is left, and silence.

use std::{collections::BTreeMap, f64::consts::TAU, sync::Arc};

use mangrove_rtp::{RATE, prompt::Prompt, wav};

use super::tones;

/// Loud enough to be heard, quiet enough to be borne: about -16 dBm0.
const LOUDNESS: f64 = 4200.0;

/// Spoken sounds: WAV files of 8 kHz, by key.
const SPOKEN: [(&str, &[u8]); 2] = [
    ("prompt/en/default-greeting", include_bytes!("../../sounds/en/default-greeting.wav")),
    ("prompt/ru/default-greeting", include_bytes!("../../sounds/ru/default-greeting.wav")),
];

/// Fragments of a language: all of them one after the other, and how many samples each name has.
const SPEECH: [(&str, &[u8], &str); 2] = [
    ("en", include_bytes!("../../sounds/en/speech.wav"), include_str!("../../sounds/en/speech.index")),
    ("ru", include_bytes!("../../sounds/ru/speech.wav"), include_str!("../../sounds/ru/speech.index")),
];

/// By key, which always names a language.
pub(super) fn all() -> BTreeMap<String, Arc<Prompt>> {
    // A test holds that each can be read.
    let spoken = SPOKEN.iter().filter_map(|(key, file)| {
        let sound = wav::read(file).ok()?;
        Some(((*key).to_owned(), Arc::new(Prompt::new(&sound.samples))))
    });
    let speech = SPEECH.iter().flat_map(|(language, file, index)| fragments(language, file, index));
    let music = ("music/en/default".to_owned(), Arc::new(Prompt::new(&music())));
    let voicemail = [("prompt/en/beep", tones::beep()), ("prompt/en/silence", vec![0; RATE as usize])];
    let voicemail = voicemail.map(|(key, samples)| (key.to_owned(), Arc::new(Prompt::new(&samples))));
    let tones = tones::all().map(|(key, samples)| (key, Arc::new(Prompt::new(&samples))));
    spoken.chain(speech).chain(tones).chain(voicemail).chain([music]).collect()
}

fn fragments(language: &str, file: &[u8], index: &str) -> Vec<(String, Arc<Prompt>)> {
    let samples = wav::read(file).map(|sound| sound.samples).unwrap_or_default();
    let mut rest = samples.as_slice();
    let fragment = |line: &str| {
        let (name, count) = line.split_once(' ')?;
        let (sound, behind) = rest.split_at_checked(count.parse().ok()?)?;
        rest = behind;
        Some((format!("prompt/{language}/{name}"), Arc::new(Prompt::new(sound))))
    };
    index.lines().filter_map(fragment).collect()
}

/// Four chords, each taken apart into eight notes: sixteen seconds that join their own beginning.
fn music() -> Vec<i16> {
    const CHORDS: [[f64; 4]; 4] = [
        [261.63, 329.63, 392.00, 523.25],
        [220.00, 261.63, 329.63, 440.00],
        [174.61, 261.63, 349.23, 440.00],
        [196.00, 246.94, 392.00, 493.88],
    ];
    const ORDER: [usize; 8] = [0, 1, 2, 3, 2, 1, 2, 3];
    let beat = seconds(0.5);
    let mut sound = vec![0.0; beat * ORDER.len() * CHORDS.len()];
    for (bar, chord) in CHORDS.iter().enumerate() {
        for (step, note) in ORDER.iter().enumerate() {
            strike(&mut sound, beat * (bar * ORDER.len() + step), chord[*note], 1.5);
        }
    }
    leveled(&sound)
}

/// Adds one dying note with two overtones; what rings past the end is heard at the beginning.
fn strike(sound: &mut [f64], at: usize, hertz: f64, ring: f64) {
    let length = sound.len();
    for n in 0..seconds(ring) {
        let t = n as f64 / f64::from(RATE);
        let attack = (t / 0.01).min(1.0);
        let release = ((ring - t) / 0.05).min(1.0);
        let tone = (t * hertz * TAU).sin()
            + 0.35 * (t * hertz * 2.0 * TAU).sin()
            + 0.12 * (t * hertz * 3.0 * TAU).sin();
        sound[(at + n) % length] += tone * attack * release * (-2.2 * t).exp();
    }
}

fn leveled(sound: &[f64]) -> Vec<i16> {
    let peak = sound.iter().fold(1.0, |peak: f64, sample| peak.max(sample.abs()));
    sound.iter().map(|sample| (sample / peak * LOUDNESS * 2.0) as i16).collect()
}

fn seconds(seconds: f64) -> usize {
    (seconds * f64::from(RATE)) as usize
}
