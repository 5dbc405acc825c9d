//! One who speaks in a room: their ear, made when they are heard for the first time, and what they said in this tick.

use super::{Ear, FRAME};
use crate::{Encoding, Packet};

/// An ear that was made stays for so long: a far end that changes its encoding with every packet must not make memory be
/// allocated for every packet.
const STAYS_US: u64 = 1_000_000;

#[derive(Debug)]
pub(super) struct Speaker {
    pub(super) name: usize,
    ear: Option<Ear>,
    made_us: u64,
    /// What was made up by ears that are gone.
    made_up_ms: u64,
    /// What they say in this tick, at the rate of the room.
    pub(super) frame: Box<[i16; FRAME]>,
}

impl Speaker {
    pub(super) fn new(name: usize) -> Self {
        Self { name, ear: None, made_us: 0, made_up_ms: 0, frame: Box::new([0; FRAME]) }
    }

    /// Takes a packet, in whatever order it comes.
    pub(super) fn hear(&mut self, (encoding, rate): (Encoding, u32), packet: &Packet<'_>, now_us: u64) {
        if let Some(ear) = self.ear_for(encoding, rate, now_us) {
            ear.take(packet, now_us);
        }
    }

    /// Says what has come for this tick: so many samples.
    pub(super) fn speak(&mut self, now_us: u64, samples: usize) {
        let out = &mut self.frame[..samples];
        match &mut self.ear {
            Some(ear) => ear.give(now_us, out),
            None => out.fill(0),
        }
    }

    pub(super) fn drop_ear(&mut self) {
        self.made_up_ms = self.made_up_ms();
        self.ear = None;
    }

    pub(super) fn made_up_ms(&self) -> u64 {
        self.made_up_ms + self.ear.as_ref().map_or(0, Ear::made_up_ms)
    }

    /// The ear for an encoding. None: there is another one, made just now, or no memory.
    fn ear_for(&mut self, encoding: Encoding, rate: u32, now_us: u64) -> Option<&mut Ear> {
        let fits = self.ear.as_ref().is_some_and(|ear| ear.encoding() == encoding);
        let is_new = self.ear.is_some() && now_us.saturating_sub(self.made_us) < STAYS_US;
        if !fits {
            if is_new {
                return None;
            }
            self.drop_ear();
            self.made_us = now_us;
            self.ear = Ear::new(encoding, rate).ok();
        }
        self.ear.as_mut()
    }
}
