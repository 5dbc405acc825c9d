//! Who hears whom. Who may hear the same in the same encoding shares one sum and one encoder.

use super::{FRAME, NARROW, TICK_MS, WIDE, speaker::Speaker};
use crate::{Encoder, Encoding, MOST_BYTES, Packet, Resampler};

/// One listener: a name, whom they hear, and in what encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    pub listener: usize,
    /// Names of speakers, in order, each once.
    pub hears: Vec<usize>,
    pub encoding: Encoding,
}

/// Speakers and listeners of one talk. It sounds at 16 kHz where somebody speaks and somebody hears so wide, else at 8.
/// It allocates when it is arranged and when a speaker is heard for the first time; a tick does not.
#[derive(Debug)]
pub struct Room {
    rate: u32,
    speakers: Vec<Speaker>,
    blends: Vec<Blend>,
    scratch: Box<Scratch>,
}

/// One sum in one encoding.
#[derive(Debug)]
struct Blend {
    hears: Vec<usize>,
    listeners: Vec<usize>,
    encoder: Encoder,
    resampler: Resampler,
}

#[derive(Debug)]
struct Scratch {
    sum: [i16; FRAME],
    resampled: [i16; FRAME],
    payload: [u8; MOST_BYTES],
}

impl Default for Room {
    fn default() -> Self {
        let scratch = Scratch { sum: [0; FRAME], resampled: [0; FRAME], payload: [0; MOST_BYTES] };
        Self { rate: NARROW, speakers: Vec::new(), blends: Vec::new(), scratch: Box::new(scratch) }
    }
}

impl Room {
    /// An empty room.
    pub fn new() -> Self {
        Self::default()
    }

    /// Seats the listeners anew, and speakers that were forgotten; `spoken` says what each speaker is expected to speak.
    /// What stays as it was goes on without a seam. For want of memory a listener hears nothing.
    pub fn arrange(&mut self, seats: &[Seat], spoken: &[(usize, Encoding)]) {
        self.set_rate(rate(seats, spoken));
        self.speakers.retain(|speaker| seats.iter().any(|seat| seat.hears.contains(&speaker.name)));
        self.blends.iter_mut().for_each(|blend| blend.listeners.clear());
        for seat in seats {
            for name in &seat.hears {
                self.admit(*name);
            }
            self.seat(seat);
        }
        self.blends.retain(|blend| !blend.listeners.is_empty());
    }

    /// Whoever has this name from now on is somebody else: nothing of the former is heard any more.
    pub fn forget(&mut self, speaker: usize) {
        self.speakers.retain(|one| one.name != speaker);
    }

    /// Whether anybody listens to this speaker.
    pub fn is_heard(&self, speaker: usize) -> bool {
        self.speakers.iter().any(|one| one.name == speaker)
    }

    /// Who listens to this speaker.
    pub fn listeners_of(&self, speaker: usize) -> impl Iterator<Item = usize> {
        let hear = self.blends.iter().filter(move |blend| blend.hears.contains(&speaker));
        hear.flat_map(|blend| blend.listeners.iter().copied())
    }

    /// How many sums are encoded in a tick.
    #[cfg(test)]
    pub(super) fn encoders(&self) -> usize {
        self.blends.len()
    }

    /// How much was made up so far in place of what was lost or late, in milliseconds.
    pub fn made_up_ms(&self) -> u64 {
        self.speakers.iter().map(Speaker::made_up_ms).sum()
    }

    /// Takes a packet of a speaker, in whatever order it comes. Of whom nobody listens to, it is nothing.
    pub fn hear(&mut self, speaker: usize, encoding: Encoding, packet: &Packet<'_>, now_us: u64) {
        let rate = self.rate;
        let Some(speaker) = self.speakers.iter_mut().find(|one| one.name == speaker) else { return };
        speaker.hear((encoding, rate), packet, now_us);
    }

    /// Gives each listener the payload of this tick's 20 ms, those who hear the same the same.
    pub fn tick(&mut self, now_us: u64, mut each: impl FnMut(usize, &[u8])) {
        let frame = (self.rate / 1000 * TICK_MS) as usize;
        self.speakers.iter_mut().for_each(|speaker| speaker.speak(now_us, frame));
        let Scratch { sum, resampled, payload } = &mut *self.scratch;
        for blend in &mut self.blends {
            add_up(&self.speakers, &blend.hears, &mut sum[..frame]);
            let count = blend.resampler.resample_into(&sum[..frame], resampled);
            // What its library refuses, which none does, is not heard.
            let Ok(length) = blend.encoder.encode_into(&resampled[..count], payload) else { continue };
            blend.listeners.iter().for_each(|listener| each(*listener, &payload[..length]));
        }
    }

    /// At another rate everything begins anew.
    fn set_rate(&mut self, rate: u32) {
        if self.rate != rate {
            self.rate = rate;
            self.blends.clear();
            self.speakers.iter_mut().for_each(Speaker::drop_ear);
        }
    }

    fn admit(&mut self, name: usize) {
        if !self.is_heard(name) {
            self.speakers.push(Speaker::new(name));
        }
    }

    fn seat(&mut self, seat: &Seat) {
        let is_same =
            |blend: &&mut Blend| blend.hears == seat.hears && blend.encoder.encoding() == seat.encoding;
        if let Some(blend) = self.blends.iter_mut().find(is_same) {
            return blend.listeners.push(seat.listener);
        }
        let Ok(encoder) = Encoder::new(seat.encoding) else { return };
        let resampler = Resampler::new(self.rate, seat.encoding.sample_rate());
        let (hears, listeners) = (seat.hears.clone(), vec![seat.listener]);
        self.blends.push(Blend { hears, listeners, encoder, resampler });
    }
}

/// The sum of those who are heard; what is too loud for 16 bits is cut off.
fn add_up(speakers: &[Speaker], hears: &[usize], sum: &mut [i16]) {
    sum.fill(0);
    for speaker in speakers.iter().filter(|speaker| hears.contains(&speaker.name)) {
        for (sample, said) in sum.iter_mut().zip(speaker.frame.iter()) {
            *sample = sample.saturating_add(*said);
        }
    }
}

fn rate(seats: &[Seat], spoken: &[(usize, Encoding)]) -> u32 {
    let is_wide = |encoding: Encoding| encoding.sample_rate() == WIDE;
    let is_heard_wide = seats.iter().any(|seat| is_wide(seat.encoding));
    let is_spoken_wide = spoken.iter().any(|(_, encoding)| is_wide(*encoding));
    if is_heard_wide && is_spoken_wide { WIDE } else { NARROW }
}
