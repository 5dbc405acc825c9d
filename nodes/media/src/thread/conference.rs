//! Conferences: people of many sessions who all hear one another. All sessions of one are on the same thread, which ticks it
//! once in 20 ms. Keys are told to nobody there, and noise is not passed on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mangrove_codec::{
    Packet,
    mix::{Chime, Crowd},
};
use mangrove_rtp::{encoding::Encoding, header::Header};

use super::{
    command::{EndpointPlan, HearsPlan},
    relay::source,
    voice::known,
    worker::{PHASES, Worker},
};
use crate::metrics::CONFERENCES;

/// Where a conference begins, its people may come from another node, all at once: nobody is told of each.
const CALM_US: u64 = 1_000_000;

/// An endpoint's place in a conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seat {
    /// Its number.
    pub(super) conference: u64,
    pub(super) is_muted: bool,
    /// Whether all hear that it comes and leaves.
    pub(super) chimes: bool,
}

/// One in which somebody is.
#[derive(Debug)]
pub(super) struct Conference {
    crowd: Crowd,
    since_us: u64,
    /// How much of what was made up is counted, in milliseconds.
    counted_ms: u64,
    _open: Open,
}

impl Conference {
    fn new(since_us: u64) -> Self {
        Self { crowd: Crowd::new(), since_us, counted_ms: 0, _open: Open::new() }
    }
}

impl EndpointPlan {
    /// Who is in a conference from the endpoint's first moment on was there before, at another node.
    pub(super) fn come_quietly(&mut self) {
        if let (HearsPlan::Conference { chimes, .. }, Some(_)) = (&mut self.hears, &self.sockets) {
            *chimes = false;
        }
    }
}

impl Worker {
    /// Lets an endpoint in, or changes what is known of it there.
    pub(super) fn sit_down(&mut self, index: usize, seat: Seat) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let before = endpoint.seat;
        if before.is_some_and(|before| before.conference != seat.conference) {
            self.stand_up(index, true);
        }
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        endpoint.seat = Some(seat);
        let encoding = endpoint.formats.codec.map(|codec| known(codec.encoding));
        let now_us = self.now_us;
        let conference = self.conferences.entry(seat.conference).or_insert_with(|| Conference::new(now_us));
        match encoding {
            Some(encoding) => conference.crowd.seat(index, encoding, seat.is_muted),
            None => conference.crowd.leave(index),
        }
        let comes = before.is_none_or(|before| before.conference != seat.conference);
        if comes && seat.chimes && now_us.saturating_sub(conference.since_us) >= CALM_US {
            conference.crowd.chime(Chime::Entered);
        }
        self.forget_if_empty(seat.conference);
    }

    /// Takes an endpoint out, if it is in one. `is_told`: to the others, where that is wished.
    pub(super) fn stand_up(&mut self, index: usize, is_told: bool) {
        let seat = self.endpoints.get_mut(index).and_then(|endpoint| endpoint.seat.take());
        let Some(seat) = seat else { return };
        if let Some(conference) = self.conferences.get_mut(&seat.conference) {
            conference.crowd.leave(index);
            if is_told && seat.chimes {
                conference.crowd.chime(Chime::Left);
            }
        }
        self.forget_if_empty(seat.conference);
    }

    fn forget_if_empty(&mut self, number: u64) {
        if self.conferences.get(&number).is_some_and(|conference| conference.crowd.is_empty()) {
            self.conferences.remove(&number);
        }
    }

    /// Takes a packet of somebody who is in one.
    pub(super) fn hear_in_conference(
        &mut self,
        seat: Seat,
        (from, header): (usize, &Header),
        encoding: Encoding,
    ) {
        let Some(conference) = self.conferences.get_mut(&seat.conference) else { return };
        let payload = &self.buffer[header.payload.clone()];
        let Header { sequence, timestamp, marker, .. } = *header;
        let packet = Packet { source: source(from, header.ssrc), sequence, timestamp, marker, payload };
        conference.crowd.hear(from, known(encoding), &packet, self.now_us);
    }

    /// Ticks the conferences of the phase. When the thread falls over one, the sessions in it are dropped.
    pub(super) fn confer(&mut self, phase: usize) {
        let is_due = |number: &u64| *number % PHASES as u64 == phase as u64;
        let mut from = 0;
        while let Some(number) = self.conferences.range(from..).map(|(number, _)| *number).find(is_due) {
            from = number + 1;
            if catch_unwind(AssertUnwindSafe(|| self.confer_frame(number))).is_err() {
                self.drop_conference(number);
            }
        }
    }

    fn confer_frame(&mut self, number: u64) {
        let Self { conferences, endpoints, counts, made, now_us, .. } = self;
        let Some(Conference { crowd, counted_ms, .. }) = conferences.get_mut(&number) else { return };
        crowd.tick(*now_us, |listener, payload| {
            counts.transcoded += 1;
            let listener = endpoints.get_mut(listener);
            let is_sent = listener.is_some_and(|one| one.say_mixed(payload, &mut made[..], *now_us));
            counts.sent += u64::from(is_sent);
        });
        let made_up_ms = crowd.made_up_ms();
        counts.concealed += made_up_ms.saturating_sub(*counted_ms).div_ceil(20);
        *counted_ms = made_up_ms;
    }
}

/// Counts the conferences in which somebody is.
#[derive(Debug)]
struct Open;

impl Open {
    fn new() -> Self {
        metrics::gauge!(CONFERENCES).increment(1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!(CONFERENCES).decrement(1.0);
    }
}
