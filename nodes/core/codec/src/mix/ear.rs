//! The way in: one speaker's packets, decoded when their tick has come, at the rate of the room.

use super::{
    TICK_MS,
    jitter::{Jitter, Next},
};
use crate::{Decoder, Encoding, Error, LONGEST_MS, Packet, Resampler};

/// The highest rate of a room.
const WIDE: usize = 16_000;
/// Samples that are decoded ahead at most: two ticks, and the packet that filled them.
const HELD: usize = WIDE / 1000 * (2 * TICK_MS + LONGEST_MS) as usize;

/// One speaker's. After `new` it allocates for packets that are longer than any before, and nothing panics.
#[derive(Debug)]
pub struct Ear {
    jitter: Jitter,
    decoder: Decoder,
    resampler: Resampler,
    /// What was decoded, at the rate of what comes in.
    heard: Box<[i16]>,
    /// The same at the room's rate, as far as it was not given yet.
    sound: Box<[i16]>,
    held: usize,
    /// Samples that were made up, at the rate of what comes in.
    made_up: u64,
}

impl Ear {
    /// For a stream of this encoding in a room of 8000 or 16000 samples a second. Fails as `Error::Library` for want of
    /// memory only.
    pub fn new(encoding: Encoding, rate: u32) -> Result<Self, Error> {
        Ok(Self {
            jitter: Jitter::new(encoding),
            decoder: Decoder::new(encoding)?,
            resampler: Resampler::new(encoding.sample_rate(), rate),
            heard: vec![0i16; encoding.samples_of_ms(LONGEST_MS)].into(),
            sound: vec![0i16; HELD].into(),
            held: 0,
            made_up: 0,
        })
    }

    /// What it takes.
    pub fn encoding(&self) -> Encoding {
        self.decoder.encoding()
    }

    /// How much was made up so far in place of what was lost or late, in milliseconds.
    pub fn made_up_ms(&self) -> u64 {
        self.made_up * 1000 / u64::from(self.encoding().sample_rate())
    }

    /// Takes a packet, in whatever order it comes. What is no payload of the encoding is as if it had not come.
    pub fn take(&mut self, packet: &Packet<'_>, now_us: u64) {
        // An empty packet keeps an address translation open (RFC 6263 section 4.1).
        if packet.payload.is_empty() {
            return;
        }
        let Ok(samples) = self.decoder.samples(packet.payload) else { return };
        let ticks = self.encoding().ticks(samples);
        if self.jitter.take(packet, ticks, now_us) {
            self.decoder.reset();
        }
    }

    /// Gives what is heard in this tick: 20 ms at the room's rate, which fill `out`.
    pub fn give(&mut self, now_us: u64, out: &mut [i16]) {
        let frame = out.len();
        let is_squeezed = self.jitter.is_to_squeeze();
        self.fill(if is_squeezed { 2 * frame } else { frame }, now_us);
        if is_squeezed && self.held >= 2 * frame {
            blend(&self.sound[..2 * frame], out);
            return self.drop_front(2 * frame);
        }
        let count = self.held.min(frame);
        out[..count].copy_from_slice(&self.sound[..count]);
        out[count..].fill(0);
        self.drop_front(count);
    }

    fn drop_front(&mut self, count: usize) {
        self.sound.copy_within(count..self.held, 0);
        self.held -= count;
    }

    /// Decodes until so many samples are held, or there is nothing to be heard.
    fn fill(&mut self, wanted: usize, now_us: u64) {
        while self.held < wanted {
            let encoding = self.decoder.encoding();
            let count = match self.jitter.next(now_us) {
                Next::Sound(payload) => decode(&mut self.decoder, payload, &mut self.heard),
                Next::Lost { ticks, next } => {
                    let made = self.decoder.conceal_into(encoding.samples(ticks), next, &mut self.heard);
                    self.made_up += made as u64;
                    made
                }
                Next::Silent { ticks } => {
                    let count = encoding.samples(ticks).min(self.heard.len());
                    self.heard[..count].fill(0);
                    count
                }
                Next::Nothing => return,
            };
            let room = &mut self.sound[self.held..];
            self.held += self.resampler.resample_into(&self.heard[..count], room);
        }
    }
}

/// A payload that is broken inside is lost.
fn decode(decoder: &mut Decoder, payload: &[u8], out: &mut [i16]) -> usize {
    let decoded = decoder.decode_into(payload, out);
    decoded.unwrap_or_else(|_| {
        let samples = decoder.samples(payload).unwrap_or(0);
        decoder.conceal_into(samples, None, out)
    })
}

/// Two frames become one: the first fades out while the second fades in.
fn blend(two: &[i16], out: &mut [i16]) {
    let (first, second) = two.split_at(out.len());
    let length = out.len().max(1) as i32;
    for (place, (sample, (old, new))) in (0..length).zip(out.iter_mut().zip(first.iter().zip(second))) {
        *sample = ((i32::from(*old) * (length - place) + i32::from(*new) * place) / length) as i16;
    }
}
