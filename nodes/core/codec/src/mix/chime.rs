//! Two notes that tell a crowd that somebody has come, or has left.

use std::f64::consts::TAU;

/// Hz, the lower one and the higher one.
const NOTES: [f64; 2] = [523.25, 783.99];
const NOTE_MS: u32 = 120;
/// At its beginning and end a note is quieter: it would click.
const EDGE_MS: f64 = 10.0;
const LOUDNESS: f64 = 2500.0;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chime {
    /// Upwards: somebody has come.
    Entered,
    /// Downwards: somebody has left.
    Left,
}

/// One that sounds.
#[derive(Debug)]
pub(super) struct Sounding {
    chime: Chime,
    /// Samples so far.
    at: u32,
}

impl Sounding {
    pub(super) fn new(chime: Chime) -> Self {
        Self { chime, at: 0 }
    }

    /// Adds its next samples to a sum at this rate. False when that was the end of it.
    pub(super) fn add_to(&mut self, sum: &mut [i32], rate: u32) -> bool {
        let note = rate * NOTE_MS / 1000;
        for sample in sum {
            let hertz = match (self.chime, self.at / note) {
                (Chime::Entered, 0) | (Chime::Left, 1) => NOTES[0],
                (Chime::Entered, 1) | (Chime::Left, 0) => NOTES[1],
                _ => return false,
            };
            *sample += tone(hertz, self.at % note, (note, rate));
            self.at += 1;
        }
        self.at < 2 * note
    }
}

fn tone(hertz: f64, at: u32, (note, rate): (u32, u32)) -> i32 {
    let from_edge = f64::from(at.min(note - at)) * 1000.0 / f64::from(rate);
    let volume = (from_edge / EDGE_MS).min(1.0) * LOUDNESS;
    ((f64::from(at) / f64::from(rate) * hertz * TAU).sin() * volume) as i32
}
