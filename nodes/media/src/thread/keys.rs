//! Keys that are codes for us and not for whoever hears the endpoint. What was held back and is no code is said after all,
//! as presses of our own making.

use std::collections::VecDeque;

use mangrove_proto::media::{KeyCode, media_event::Fact};
use mangrove_rtp::{
    digit::{Payload, Sender},
    header::{self, Header},
};

use super::{endpoint::Endpoint, relay::source, slots::Slots, worker::Worker};

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
    /// One key, to each who hears it.
    said: Vec<Said>,
    /// Frames until the next key.
    rests: u8,
}

/// A key that is being said to somebody.
#[derive(Debug)]
struct Said {
    to: usize,
    sender: Sender,
    payload_type: u8,
    /// Of the listener's stream.
    timestamp: u32,
}

impl Mouth {
    pub(super) fn speaks(&self) -> bool {
        !self.said.is_empty() || !self.waiting.is_empty()
    }

    fn take(&mut self, keys: &str) {
        let room = MOST.saturating_sub(self.waiting.len());
        self.waiting.extend(keys.chars().take(room));
    }

    /// Says the next 20 ms to those who hear it; how many packets that were.
    fn speak(&mut self, listeners: &[usize], endpoints: &mut Slots, made: &mut [u8], now_us: u64) -> u64 {
        if self.said.is_empty() && self.rests > 0 {
            self.rests -= 1;
            return 0;
        }
        if self.said.is_empty()
            && let Some(key) = self.waiting.pop_front()
        {
            self.said = listeners.iter().filter_map(|to| begin(key, *to, endpoints, now_us)).collect();
        }
        let (is_saying, mut sent) = (!self.said.is_empty(), 0);
        self.said.retain_mut(|said| {
            let is_said = listeners.contains(&said.to) && said.speak(endpoints, made, now_us);
            sent += u64::from(is_said);
            is_said
        });
        if is_saying && self.said.is_empty() {
            self.rests = BETWEEN;
        }
        sent
    }
}

impl Said {
    /// False when it is over, or the listener hears nothing now.
    fn speak(&mut self, endpoints: &mut Slots, made: &mut [u8], now_us: u64) -> bool {
        let listener = endpoints.get_mut(self.to).filter(|listener| listener.is_sending());
        let (Some(listener), Some(packet)) = (listener, self.sender.next()) else { return false };
        made[header::LENGTH..].copy_from_slice(&packet.payload);
        listener.outgoing.insert(made, self.payload_type, packet.marker, self.timestamp, now_us);
        listener.transmit(made);
        true
    }
}

/// None: the listener takes no keys.
fn begin(key: char, to: usize, endpoints: &Slots, now_us: u64) -> Option<Said> {
    let listener = endpoints.get(to)?;
    let event = listener.formats.event()?;
    let sender = Sender::new(key, PRESS_MS, event.clock)?;
    let timestamp = listener.outgoing.now(now_us);
    Some(Said { to, sender, payload_type: event.payload_type, timestamp })
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
        let mut mouth = std::mem::take(&mut endpoint.mouth);
        self.note_listeners(index);
        if self.told.is_empty() {
            // Nobody hears it.
            mouth = Mouth::default();
        } else {
            let made = &mut self.made[..header::LENGTH + EVENT];
            self.counts.sent += mouth.speak(&self.told, &mut self.endpoints, made, now_us);
        }
        let Some(endpoint) = self.endpoints.get_mut(index) else { return false };
        endpoint.mouth = mouth;
        endpoint.mouth.speaks() || endpoint.codes.waits()
    }
}
