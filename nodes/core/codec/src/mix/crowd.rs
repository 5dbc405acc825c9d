//! A conference: people who all hear one another, each the others and not themselves. Of many only the loudest few are
//! added up, for noise adds up, too; who speaks keeps their place while they pause for breath, and loses it to somebody who
//! is much louder. What it costs grows with the people, not with their square: one sum is made for all, and taken away from
//! it for each who is in it is what they said.

use std::collections::BTreeMap;

use super::{
    FRAME, NARROW, TICK_MS, WIDE,
    chime::{Chime, Sounding},
    speaker::Speaker,
};
use crate::{Encoder, Encoding, MOST_BYTES, Packet, Resampler};

/// As many are heard at once.
const MOST: usize = 4;
/// The mean of a frame's samples from which on it may be speech: some 50 dB below the loudest.
const FLOOR: u32 = 100;
/// Ticks that a pause may last.
const PATIENCE: u32 = 50;
/// So many times as loud is whoever takes another's place.
const LOUDER: u32 = 2;

/// It sounds at 16 kHz from the moment on when somebody comes who hears so wide, else at 8. It allocates when somebody comes
/// and when somebody is heard for the first time; a tick does not.
#[derive(Debug)]
pub struct Crowd {
    rate: u32,
    people: BTreeMap<usize, Person>,
    chime: Option<Sounding>,
    /// What was made up for people who have left.
    made_up_ms: u64,
    scratch: Box<Scratch>,
}

#[derive(Debug)]
struct Person {
    speaker: Speaker,
    encoder: Encoder,
    resampler: Resampler,
    is_muted: bool,
    /// Among those who are added up.
    is_heard: bool,
    /// Of their last ticks; it takes half a second to die away by half.
    loudness: u32,
    /// Ticks since they said something.
    quiet: u32,
}

#[derive(Debug)]
struct Scratch {
    total: [i32; FRAME],
    sum: [i16; FRAME],
    resampled: [i16; FRAME],
    payload: [u8; MOST_BYTES],
    /// What all hear who are not in the sum, in A-law and mu-law.
    shared: [[u8; FRAME]; 2],
}

impl Default for Crowd {
    fn default() -> Self {
        let scratch = Scratch {
            total: [0; FRAME],
            sum: [0; FRAME],
            resampled: [0; FRAME],
            payload: [0; MOST_BYTES],
            shared: [[0; FRAME]; 2],
        };
        let (people, scratch) = (BTreeMap::new(), Box::new(scratch));
        Self { rate: NARROW, people, chime: None, made_up_ms: 0, scratch }
    }
}

impl Crowd {
    /// Nobody is there yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets somebody in who hears this encoding, or changes what is known of them. Who is muted hears and is not heard. For
    /// want of memory they stay as they were, or outside.
    pub fn seat(&mut self, name: usize, encoding: Encoding, is_muted: bool) {
        if encoding.sample_rate() == WIDE {
            self.widen();
        }
        let rate = self.rate;
        match self.people.get_mut(&name) {
            Some(person) if person.encoder.encoding() == encoding => person.mute(is_muted),
            Some(person) => {
                person.speak_as(encoding, rate);
                person.mute(is_muted);
            }
            None => {
                if let Some(person) = Person::new(name, encoding, rate, is_muted) {
                    self.people.insert(name, person);
                }
            }
        }
    }

    /// Somebody has left, if they were there.
    pub fn leave(&mut self, name: usize) {
        if let Some(person) = self.people.remove(&name) {
            self.made_up_ms += person.speaker.made_up_ms();
        }
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Lets all hear it, unless they hear one already.
    pub fn chime(&mut self, chime: Chime) {
        self.chime.get_or_insert_with(|| Sounding::new(chime));
    }

    /// How much was made up so far in place of what was lost or late, in milliseconds.
    pub fn made_up_ms(&self) -> u64 {
        self.made_up_ms + self.people.values().map(|person| person.speaker.made_up_ms()).sum::<u64>()
    }

    /// Takes a packet of somebody who is there, in whatever order it comes. Of who is muted it is nothing.
    pub fn hear(&mut self, name: usize, encoding: Encoding, packet: &Packet<'_>, now_us: u64) {
        let rate = self.rate;
        if let Some(person) = self.people.get_mut(&name).filter(|person| !person.is_muted) {
            person.speaker.hear((encoding, rate), packet, now_us);
        }
    }

    /// Gives each their payload of this tick's 20 ms.
    pub fn tick(&mut self, now_us: u64, mut each: impl FnMut(usize, &[u8])) {
        let samples = (self.rate / 1000 * TICK_MS) as usize;
        self.people.values_mut().for_each(|person| person.say(now_us, samples));
        choose(&mut self.people);
        let Scratch { total, sum, resampled, payload, shared } = &mut *self.scratch;
        let (total, sum) = (&mut total[..samples], &mut sum[..samples]);
        add_up(&self.people, total);
        if self.chime.as_mut().is_some_and(|chime| !chime.add_to(total, self.rate)) {
            self.chime = None;
        }
        // Under G.711 at its own rate nothing is remembered from frame to frame: who hears all hears the same.
        let mut lengths = [None::<usize>; 2];
        for (name, person) in &mut self.people {
            let law = person.shares(self.rate);
            if let Some((law, length)) = law.and_then(|law| Some((law, lengths[law]?))) {
                each(*name, &shared[law][..length]);
                continue;
            }
            person.subtract(total, sum);
            let Some(length) = person.encode(sum, resampled, payload) else { continue };
            if let Some(law) = law.filter(|_| length <= FRAME) {
                shared[law][..length].copy_from_slice(&payload[..length]);
                lengths[law] = Some(length);
            }
            each(*name, &payload[..length]);
        }
    }

    /// At another rate everything begins anew; it does not fall while somebody is there.
    fn widen(&mut self) {
        if self.rate == WIDE {
            return;
        }
        self.rate = WIDE;
        for person in self.people.values_mut() {
            person.speaker.drop_ear();
            person.speak_as(person.encoder.encoding(), WIDE);
        }
    }
}

impl Person {
    fn new(name: usize, encoding: Encoding, rate: u32, is_muted: bool) -> Option<Self> {
        let (encoder, resampler) = mouth(encoding, rate)?;
        let speaker = Speaker::new(name);
        Some(Self { speaker, encoder, resampler, is_muted, is_heard: false, loudness: 0, quiet: PATIENCE })
    }

    /// For want of memory they hear on as before.
    fn speak_as(&mut self, encoding: Encoding, rate: u32) {
        if let Some((encoder, resampler)) = mouth(encoding, rate) {
            (self.encoder, self.resampler) = (encoder, resampler);
        }
    }

    fn mute(&mut self, is_muted: bool) {
        self.is_muted = is_muted;
        if is_muted {
            self.speaker.drop_ear();
        }
    }

    fn say(&mut self, now_us: u64, samples: usize) {
        self.speaker.speak(now_us, samples);
        let sum: u32 =
            self.speaker.frame[..samples].iter().map(|sample| u32::from(sample.unsigned_abs())).sum();
        let level = sum / samples.max(1) as u32;
        self.loudness = level.max(self.loudness - self.loudness / 32);
        self.quiet = if level > FLOOR { 0 } else { self.quiet.saturating_add(1) };
    }

    /// Which of the shared payloads is theirs, if one is.
    fn shares(&self, rate: u32) -> Option<usize> {
        match self.encoder.encoding() {
            Encoding::Pcma if rate == NARROW && !self.is_heard => Some(0),
            Encoding::Pcmu if rate == NARROW && !self.is_heard => Some(1),
            _ => None,
        }
    }

    /// The sum without what they say themselves; what is too loud for 16 bits is cut off.
    fn subtract(&self, total: &[i32], sum: &mut [i16]) {
        let own = self.speaker.frame.iter().map(|said| if self.is_heard { i32::from(*said) } else { 0 });
        for (sample, (all, own)) in sum.iter_mut().zip(total.iter().zip(own)) {
            *sample = (all - own).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }

    /// Bytes of the payload. What its library refuses, which none does, is not heard.
    fn encode(&mut self, sum: &[i16], resampled: &mut [i16], payload: &mut [u8]) -> Option<usize> {
        let count = self.resampler.resample_into(sum, resampled);
        self.encoder.encode_into(&resampled[..count], payload).ok()
    }
}

fn mouth(encoding: Encoding, rate: u32) -> Option<(Encoder, Resampler)> {
    Some((Encoder::new(encoding).ok()?, Resampler::new(rate, encoding.sample_rate())))
}

/// Whose sound is added up in this tick. Where there are few, all are, and nothing of theirs is cut off.
fn choose(people: &mut BTreeMap<usize, Person>) {
    let able = people.values().filter(|person| !person.is_muted).count();
    for person in people.values_mut() {
        let stays = person.is_heard && person.quiet <= PATIENCE;
        person.is_heard = !person.is_muted && (able <= MOST || stays);
    }
    if able <= MOST {
        return;
    }
    for _ in 0..MOST {
        let Some(newcomer) = of(people, |one| !one.is_heard && one.quiet == 0).max_by_key(loud) else {
            return;
        };
        if of(people, |one| one.is_heard).count() >= MOST {
            let Some(weakest) = of(people, |one| one.is_heard).min_by_key(loud) else { return };
            if loud(&newcomer) < loud(&weakest).saturating_mul(LOUDER) {
                return;
            }
            give_place(people, weakest, false);
        }
        give_place(people, newcomer, true);
    }
}

/// Those of the people who are not muted, with how loud they are.
fn of(
    people: &BTreeMap<usize, Person>,
    which: impl Fn(&Person) -> bool,
) -> impl Iterator<Item = (usize, u32)> {
    let able = people.iter().filter(move |(_, person)| !person.is_muted && which(person));
    able.map(|(name, person)| (*name, person.loudness))
}

fn loud((_, loudness): &(usize, u32)) -> u32 {
    *loudness
}

fn give_place(people: &mut BTreeMap<usize, Person>, (name, _): (usize, u32), is_heard: bool) {
    if let Some(person) = people.get_mut(&name) {
        person.is_heard = is_heard;
    }
}

fn add_up(people: &BTreeMap<usize, Person>, total: &mut [i32]) {
    total.fill(0);
    for person in people.values().filter(|person| person.is_heard) {
        for (sample, said) in total.iter_mut().zip(person.speaker.frame.iter()) {
            *sample += i32::from(*said);
        }
    }
}
