//! Keys that are codes for us and not for whoever hears the endpoint. What was held back and is no code is said after all,
//! as presses of our own making.

use std::collections::VecDeque;

use mangrove_proto::media::{KeyCode, media_event::Fact};
use mangrove_rtp::{
    digit::{Payload, Sender},
    header::{self, Header},
};

use super::{endpoint::Endpoint, relay::source, worker::Worker};

/// How long a key is said.
const PRESS_MS: u32 = 100;
/// Frames between two keys.
const BETWEEN: u8 = 3;
/// Keys that wait to be said, at most.
const MOST: usize = 32;
/// Bytes of a telephone event.
const EVENT: usize = 4;

/// The keys that are to be said to whoever hears an endpoint.
#[derive(Debug, Default)]
pub(super) struct Mouth {
    waiting: VecDeque<char>,
    said: Option<Said>,
    /// Frames until the next key.
    rests: u8,
}

/// A key that is being said.
#[derive(Debug)]
struct Said {
    sender: Sender,
    payload_type: u8,
    /// Of the listener's stream.
    timestamp: u32,
}

impl Mouth {
    pub(super) fn speaks(&self) -> bool {
        self.said.is_some() || !self.waiting.is_empty()
    }

    fn take(&mut self, keys: &str) {
        let room = MOST.saturating_sub(self.waiting.len());
        self.waiting.extend(keys.chars().take(room));
    }

    /// Says the next 20 ms to a listener; whether that was a packet.
    fn speak(&mut self, listener: &mut Endpoint, made: &mut [u8], now_us: u64) -> bool {
        if self.said.is_none() && self.rests > 0 {
            self.rests -= 1;
            return false;
        }
        if self.said.is_none() {
            self.said = self.waiting.pop_front().and_then(|key| begin(key, listener, now_us));
        }
        let Some(said) = &mut self.said else { return false };
        let Some(packet) = said.sender.next().filter(|_| listener.is_sending()) else {
            (self.said, self.rests) = (None, BETWEEN);
            return false;
        };
        made[header::LENGTH..].copy_from_slice(&packet.payload);
        listener.outgoing.insert(made, said.payload_type, packet.marker, said.timestamp, now_us);
        listener.transmit(made);
        true
    }
}

/// None: the listener takes no keys.
fn begin(key: char, listener: &Endpoint, now_us: u64) -> Option<Said> {
    let event = listener.formats.event()?;
    let sender = Sender::new(key, PRESS_MS, event.clock)?;
    Some(Said { sender, payload_type: event.payload_type, timestamp: listener.outgoing.now(now_us) })
}

/// Whether a packet of a key is held back from whoever hears the endpoint.
pub(super) fn is_held_back(endpoint: &mut Endpoint, header: &Header, payload: &[u8]) -> bool {
    let key = Payload::read(payload).and_then(Payload::key);
    let is_saying = endpoint.mouth.speaks();
    key.is_some_and(|key| endpoint.codes.hold_back((header.ssrc, header.timestamp), key, is_saying))
}

impl Worker {
    /// A packet of a key is passed on to nobody: its number is missing to nobody.
    pub(super) fn keep_back(&mut self, index: usize, header: &Header) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let listeners = std::mem::take(&mut endpoint.listeners);
        for listener in &listeners {
            if let Some(listener) = self.endpoints.get_mut(*listener) {
                listener.leave_out(header, source(index, header.ssrc));
            }
        }
        if let Some(endpoint) = self.endpoints.get_mut(index) {
            endpoint.listeners = listeners;
        }
    }

    /// A key was pressed to its end: reports the code that it completes, and has said what is none.
    pub(super) fn look_for_code(&mut self, index: usize, key: char) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let outcome = endpoint.codes.pressed(key, self.now_us);
        endpoint.mouth.take(&outcome.say);
        if let Some(code) = outcome.code {
            let code = KeyCode { endpoint: endpoint.id.to_string(), code };
            self.surroundings.outbox.post(&endpoint.owner, Fact::KeyCode(code));
        }
        if (endpoint.codes.waits() || endpoint.mouth.speaks()) && !self.speakers.contains(&index) {
            self.speakers.push(index);
        }
    }

    /// Once a frame: says what is to be said.
    pub(super) fn say_keys(&mut self) {
        let mut speakers = std::mem::take(&mut self.speakers);
        speakers.retain(|index| self.with(*index, |worker| worker.say_next(*index)).unwrap_or(false));
        self.speakers = speakers;
    }

    /// False when there is nothing more to say, or to wait for.
    fn say_next(&mut self, index: usize) -> bool {
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return false };
        let late = endpoint.codes.expire(now_us);
        endpoint.mouth.take(&late);
        let listener = endpoint.listeners.first().copied();
        let mut mouth = std::mem::take(&mut endpoint.mouth);
        match listener.and_then(|listener| self.endpoints.get_mut(listener)) {
            Some(listener) => {
                let made = &mut self.made[..header::LENGTH + EVENT];
                self.counts.sent += u64::from(mouth.speak(listener, made, now_us));
            }
            // Nobody hears it.
            None => mouth = Mouth::default(),
        }
        let Some(endpoint) = self.endpoints.get_mut(index) else { return false };
        endpoint.mouth = mouth;
        endpoint.mouth.speaks() || endpoint.codes.waits()
    }
}
