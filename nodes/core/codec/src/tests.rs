//! The crate as its users see it: somebody talks, packets are lost and turned about on the way, somebody listens.
#![allow(clippy::unwrap_used)]

mod hostile;
mod lost;
mod streams;
mod tones;
mod vectors;

use std::f64::consts::{PI, TAU};

use mangrove_rtp::tone;

use crate::{Decoder, Encoder, Encoding, Frame, MOST_BYTES, Packet, Transcoder};

/// How loud the tones are.
const AMPLITUDE: f64 = 8000.0;

/// A packet on its way.
#[derive(Debug, Clone)]
struct Said {
    source: u64,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    payload: Vec<u8>,
}

/// A frame that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    sequence: u16,
    timestamp: u32,
    marker: bool,
    anew: bool,
    payload: Vec<u8>,
}

impl From<Frame<'_>> for Heard {
    fn from(frame: Frame<'_>) -> Self {
        let Frame { payload, sequence, timestamp, marker, anew } = frame;
        Self { sequence, timestamp, marker, anew, payload: payload.to_vec() }
    }
}

/// Says a sound, packet by packet. Its numbers are about to turn over.
struct Talker {
    encoder: Encoder,
    ms: u32,
    sound: Vec<i16>,
    place: usize,
    sequence: u16,
    timestamp: u32,
    marker: bool,
}

impl Talker {
    fn new(encoding: Encoding, ms: u32, sound: Vec<i16>) -> Self {
        let encoder = Encoder::new(encoding).unwrap();
        Self { encoder, ms, sound, place: 0, sequence: 65_533, timestamp: u32::MAX - 500, marker: true }
    }

    /// Says nothing for a while.
    fn pause(&mut self, ms: u32) {
        let ticks = self.encoder.encoding().clock_rate() / 1000 * ms;
        self.timestamp = self.timestamp.wrapping_add(ticks);
        self.marker = true;
    }
}

impl Iterator for Talker {
    type Item = Said;

    fn next(&mut self) -> Option<Said> {
        let encoding = self.encoder.encoding();
        let samples = encoding.samples_of_ms(self.ms);
        let frame = self.sound.get(self.place..self.place + samples)?;
        let mut bytes = [0; MOST_BYTES];
        let length = self.encoder.encode_into(frame, &mut bytes).unwrap();
        let said = Said {
            source: 7,
            sequence: self.sequence,
            timestamp: self.timestamp,
            marker: std::mem::take(&mut self.marker),
            payload: bytes[..length].to_vec(),
        };
        self.place += samples;
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(encoding.ticks(samples));
        Some(said)
    }
}

fn feed(transcoder: &mut Transcoder, said: &Said) -> Vec<Heard> {
    let Said { source, sequence, timestamp, marker, payload } = said;
    let packet = Packet {
        source: *source,
        sequence: *sequence,
        timestamp: *timestamp,
        marker: *marker,
        payload: payload.as_slice(),
    };
    let mut heard = Vec::new();
    transcoder.feed(&packet, |frame| heard.push(Heard::from(frame)));
    heard
}

/// What comes out of all of them, in order.
fn feed_all<'a>(transcoder: &mut Transcoder, said: impl IntoIterator<Item = &'a Said>) -> Vec<Heard> {
    said.into_iter().flat_map(|said| feed(transcoder, said)).collect()
}

/// The sound of frames that follow one another.
fn sound(encoding: Encoding, heard: &[Heard]) -> Vec<i16> {
    let (mut decoder, mut all) = (Decoder::new(encoding).unwrap(), Vec::new());
    let mut out = vec![0; encoding.samples_of_ms(crate::LONGEST_MS)];
    for frame in heard {
        let count = decoder.decode_into(&frame.payload, &mut out).unwrap();
        all.extend_from_slice(&out[..count]);
    }
    all
}

/// A tone at the rate of an encoding. `mangrove-rtp` has 8 kHz only: at 16 kHz it is one of half the pitch to it.
fn tone_of(encoding: Encoding, hertz: f64, ms: u32) -> Vec<i16> {
    tone::sine(at_8k(encoding, hertz), AMPLITUDE, 0, encoding.samples_of_ms(ms))
}

/// The amplitude of a tone in samples at the rate of an encoding.
fn level(encoding: Encoding, samples: &[i16], hertz: f64) -> f64 {
    tone::level(samples, at_8k(encoding, hertz))
}

fn at_8k(encoding: Encoding, hertz: f64) -> f64 {
    hertz * 8000.0 / f64::from(encoding.sample_rate())
}

/// Something like speech: vowels of 120 Hz, three in a second.
fn vowels(encoding: Encoding, ms: u32) -> Vec<i16> {
    let sample = |n: usize| {
        let time = n as f64 / f64::from(encoding.sample_rate());
        let wave: f64 = (1..=6i32).map(|k| (time * 120.0 * f64::from(k) * TAU).sin() / f64::from(k)).sum();
        (wave * (time * 3.0 * PI).sin().abs() * 5000.0) as i16
    };
    (0..encoding.samples_of_ms(ms)).map(sample).collect()
}

/// The sum of the squares.
fn energy(samples: &[i16]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}
