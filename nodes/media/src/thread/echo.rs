//! An endpoint that hears itself a moment later. What it says waits here and is sent back as it came: so it proves the way
//! there and back, and costs no codec.

use std::collections::VecDeque;

use mangrove_rtp::header::Header;

use super::{
    endpoint::{Endpoint, Hears},
    formats::Content,
    relay::{change_law, source},
    worker::Worker,
};

/// Packets that wait, at most: those of two seconds, be they of 20 ms. What is more is not given back.
const MOST: usize = 128;
/// Bytes of the longest packet that is given back.
const LONGEST: usize = 512;

/// What one endpoint has said.
#[derive(Debug)]
pub(super) struct Echo {
    delay_us: u64,
    waiting: VecDeque<Said>,
}

#[derive(Debug)]
struct Said {
    due_us: u64,
    header: Header,
    content: Content,
    length: usize,
    packet: [u8; LONGEST],
}

impl Echo {
    /// All the memory that it will need.
    pub(super) fn new(delay_us: u64) -> Self {
        Self { delay_us, waiting: VecDeque::with_capacity(MOST) }
    }

    pub(super) fn delay_us(&self) -> u64 {
        self.delay_us
    }

    /// Keeps a packet that has come in.
    pub(super) fn keep(&mut self, packet: &[u8], header: &Header, content: Content, now_us: u64) {
        if packet.len() > LONGEST || self.waiting.len() == MOST {
            return;
        }
        let (due_us, length) = (now_us + self.delay_us, packet.len());
        let mut said = Said { due_us, header: header.clone(), content, length, packet: [0; LONGEST] };
        said.packet[..length].copy_from_slice(packet);
        self.waiting.push_back(said);
    }

    fn next(&mut self, now_us: u64) -> Option<Said> {
        self.waiting.pop_front_if(|said| said.due_us <= now_us)
    }
}

impl Worker {
    /// Once a frame: gives back what has waited long enough.
    pub(super) fn give_back(&mut self) {
        let mut echoing = std::mem::take(&mut self.echoing);
        echoing.retain(|index| self.with(*index, |worker| worker.give_back_to(*index)).unwrap_or(false));
        self.echoing = echoing;
    }

    /// False when the endpoint hears itself no more.
    fn give_back_to(&mut self, index: usize) -> bool {
        let now_us = self.now_us;
        loop {
            let Some(endpoint) = self.endpoints.get_mut(index) else { return false };
            let Hears::Echo(echo) = &mut endpoint.hears else { return false };
            let Some(mut said) = echo.next(now_us) else { return true };
            self.counts.sent += u64::from(endpoint.say_again(&mut said, index, now_us));
        }
    }
}

impl Endpoint {
    /// Whether it was sent. What is no sound is left out, and its number is missing to nobody.
    fn say_again(&mut self, said: &mut Said, index: usize, now_us: u64) -> bool {
        if !self.is_sending() {
            self.pause();
            return false;
        }
        let source = source(index, said.header.ssrc);
        let carrier = match said.content {
            Content::Sound(encoding) => self.formats.carrier(encoding),
            Content::Digits(_) | Content::Noise | Content::Other => None,
        };
        let Some(codec) = carrier else {
            self.outgoing.skip(&said.header, source);
            return false;
        };
        change_law(
            said.content,
            Content::Sound(codec.encoding),
            &mut said.packet[said.header.payload.clone()],
        );
        if self.guard.is_some() && self.outgoing.is_astray(&said.header, source) {
            self.outgoing.pause();
        }
        let packet = &mut said.packet[..said.length];
        self.outgoing.forward(packet, &said.header, codec.payload_type, source, now_us);
        self.transmit(packet);
        true
    }
}
