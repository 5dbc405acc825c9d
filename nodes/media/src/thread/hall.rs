//! Sessions in which somebody hears, or is recorded, as one of several: a supervisor beside caller and agent. Whoever hears
//! one other alone is passed on as ever (`relay`); these here have a room of their own (`mangrove_codec::mix`), which is
//! ticked once in 20 ms. Whom a recording hears beside others it hears with ears of its own: while it is paused they are
//! not there, so nothing of the pause waits in them for its end.

use mangrove_codec::{
    Packet,
    mix::{Room, Seat},
};
use mangrove_rtp::{
    FRAME,
    align::{Side, Sound},
    g711::Law,
    header::{self, Header},
};

use super::{
    convert::EVENT,
    endpoint::{Endpoint, Hears},
    formats::Content,
    reconcile::Session,
    relay::source,
    voice::known,
    worker::{PHASES, Worker},
};
use crate::metrics::MIXED;

/// How a recording's sides are called among listeners: no endpoint has so high a number.
const LEFT: usize = usize::MAX;
const RIGHT: usize = usize::MAX - 1;
const SIDES: [(usize, Side); 2] = [(LEFT, Side::Left), (RIGHT, Side::Right)];
/// Set in the name of an endpoint as a recording hears it: no endpoint has so high a number.
const ON_TAPE: usize = 1 << (usize::BITS - 1);

/// A session's room, and what is recorded of it.
#[derive(Debug)]
pub(super) struct Hall {
    room: Room,
    /// Of the left side and the right one, where several are added up there.
    tapes: [Option<Tape>; 2],
    /// How much of what was made up is counted, in milliseconds.
    counted_ms: u64,
    _open: Open,
}

/// One side of a recording as a stream: it has a name and a clock.
#[derive(Debug, Clone, Copy)]
struct Tape {
    recording: u64,
    stream: u64,
    timestamp: u32,
}

impl Hall {
    fn new() -> Self {
        Self { room: Room::new(), tapes: [None; 2], counted_ms: 0, _open: Open::new() }
    }

    /// An endpoint is gone: its number may be another's by the next time that the hall is seated.
    pub(super) fn forget(&mut self, index: usize) {
        [index, index | ON_TAPE].into_iter().for_each(|name| self.room.forget(name));
    }

    /// Whether anybody, or a recording, hears this endpoint beside others.
    fn hears(&self, index: usize) -> bool {
        [index, index | ON_TAPE].into_iter().any(|name| self.room.is_heard(name))
    }
}

impl Worker {
    /// Gives the session a room, if anybody there hears several others, and seats them.
    pub(super) fn set_hall(&mut self, session: &mut Session, number: u64) {
        let seats = self.seats(session);
        if seats.is_empty() {
            session.hall = None;
        } else {
            let mut hall = session.hall.take().unwrap_or_else(|| Box::new(Hall::new()));
            hall.room.arrange(&seats, &self.spoken(session));
            hall.counted_ms = hall.room.made_up_ms();
            self.set_tapes(&mut hall, session, &seats);
            session.hall = Some(hall);
        }
        for index in session.indices() {
            let is_heard = session.hall.as_ref().is_some_and(|hall| hall.hears(index));
            if let Some(endpoint) = self.endpoints.get_mut(index) {
                endpoint.hall = is_heard.then_some(number);
            }
        }
        self.keep_hall(number, session.hall.is_some());
    }

    /// Those who hear several others, and the recording's sides where several are added up: none of them in a pause.
    fn seats(&self, session: &Session) -> Vec<Seat> {
        let of_endpoint = |index| match self.endpoints.get(index) {
            Some(Endpoint { hears: Hears::Mix { heard, .. }, formats, .. }) => {
                let encoding = known(formats.codec?.encoding);
                Some(Seat { listener: index, hears: heard.clone(), encoding })
            }
            _ => None,
        };
        let running = session.recording.as_ref().filter(|recording| recording.pause.is_none());
        let of_side = |(listener, side)| {
            let found = session.find(running?.added_up(side), None);
            let hears: Vec<usize> = found.into_iter().map(|index| index | ON_TAPE).collect();
            let encoding = mangrove_codec::Encoding::Pcma;
            (!hears.is_empty()).then_some(Seat { listener, hears, encoding })
        };
        session.indices().filter_map(of_endpoint).chain(SIDES.into_iter().filter_map(of_side)).collect()
    }

    /// What each of the session is expected to speak.
    fn spoken(&self, session: &Session) -> Vec<(usize, mangrove_codec::Encoding)> {
        let codec = |index: usize| Some((index, known(self.endpoints.get(index)?.formats.codec?.encoding)));
        session.indices().filter_map(codec).collect()
    }

    fn set_tapes(&mut self, hall: &mut Hall, session: &Session, seats: &[Seat]) {
        let recording = session.recording.as_ref().map(|recording| recording.number);
        for (tape, (name, _)) in hall.tapes.iter_mut().zip(SIDES) {
            let wanted = recording.filter(|_| seats.iter().any(|seat| seat.listener == name));
            if tape.map(|tape| tape.recording) != wanted {
                self.tapes += 1;
                let stream = u64::MAX - self.tapes;
                *tape = wanted.map(|recording| Tape { recording, stream, timestamp: 0 });
            }
        }
    }

    fn keep_hall(&mut self, number: u64, is_there: bool) {
        let halls = &mut self.halls[(number % PHASES as u64) as usize];
        match halls.iter().position(|hall| *hall == number) {
            Some(place) if !is_there => drop(halls.swap_remove(place)),
            None if is_there => halls.push(number),
            _ => {}
        }
    }

    /// Takes a packet of somebody who is heard beside others; one of a pause is not for the recording. Keys are told to all
    /// of those who hear them.
    pub(super) fn hear_in_hall(
        &mut self,
        number: u64,
        (from, header): (usize, &Header),
        content: Content,
        is_of_the_pause: bool,
    ) {
        let session = self.sessions.get_mut(&number);
        let Some(hall) = session.and_then(|session| session.hall.as_deref_mut()) else { return };
        let (source, payload) = (source(from, header.ssrc), &self.buffer[header.payload.clone()]);
        match content {
            Content::Sound(encoding) => {
                let Header { sequence, timestamp, marker, .. } = *header;
                let packet = Packet { source, sequence, timestamp, marker, payload };
                hall.room.hear(from, known(encoding), &packet, self.now_us);
                if !is_of_the_pause {
                    hall.room.hear(from | ON_TAPE, known(encoding), &packet, self.now_us);
                }
            }
            Content::Digits(clock) => {
                self.told.clear();
                self.told.extend(hall.room.listeners_of(from));
                let made = &mut self.made[..header::LENGTH + EVENT];
                for to in &self.told {
                    let listener = self.endpoints.get_mut(*to).filter(|listener| listener.is_sending());
                    let Some(listener) = listener else { continue };
                    let told = listener.retell((source, header.timestamp), clock, payload, made, self.now_us);
                    self.counts.sent += u64::from(told);
                }
            }
            Content::Noise | Content::Other => {}
        }
    }

    /// Notes as `told` who hears an endpoint, alone or beside others.
    pub(super) fn note_listeners(&mut self, index: usize) {
        self.told.clear();
        let Some(endpoint) = self.endpoints.get(index) else { return };
        self.told.extend(&endpoint.listeners);
        let session = endpoint.hall.and_then(|number| self.sessions.get(&number));
        if let Some(hall) = session.and_then(|session| session.hall.as_deref()) {
            self.told.extend(hall.room.listeners_of(index));
        }
    }

    /// Ticks the rooms of the phase.
    pub(super) fn mix(&mut self, phase: usize) {
        let mut halls = std::mem::take(&mut self.halls[phase]);
        halls.retain(|number| {
            let someone = self.sessions.get(number).and_then(|session| session.indices().next());
            let ticked = someone.and_then(|index| self.with(index, |worker| worker.mix_frame(*number)));
            ticked.unwrap_or(false)
        });
        self.halls[phase] = halls;
    }

    /// False when there is no room any more.
    fn mix_frame(&mut self, number: u64) -> bool {
        let Self { sessions, endpoints, tap, counts, made, now_us, .. } = self;
        let hall = sessions.get_mut(&number).and_then(|session| session.hall.as_deref_mut());
        let Some(Hall { room, tapes, counted_ms, .. }) = hall else { return false };
        room.tick(*now_us, |listener, payload| {
            counts.transcoded += 1;
            match SIDES.iter().position(|(name, _)| *name == listener) {
                Some(place) => {
                    if let Some(tape) = &mut tapes[place] {
                        let (stream, timestamp) = (tape.stream, tape.timestamp);
                        let sound = Sound { stream, timestamp, law: Law::A, payload };
                        tap.add((tape.recording, SIDES[place].1), &sound, *now_us);
                        tape.timestamp = timestamp.wrapping_add(FRAME as u32);
                    }
                }
                None => {
                    let listener = endpoints.get_mut(listener);
                    let is_sent = listener.is_some_and(|one| one.say_mixed(payload, &mut made[..], *now_us));
                    counts.sent += u64::from(is_sent);
                }
            }
        });
        let made_up_ms = room.made_up_ms();
        counts.concealed += made_up_ms.saturating_sub(*counted_ms).div_ceil(20);
        *counted_ms = made_up_ms;
        true
    }
}

impl Endpoint {
    /// Sends a frame of what several others say; whether it may.
    pub(super) fn say_mixed(&mut self, payload: &[u8], made: &mut [u8], now_us: u64) -> bool {
        let is_sending = self.is_sending();
        let (Hears::Mix { first, .. } | Hears::Conference { first }, Some(codec)) =
            (&mut self.hears, self.formats.codec)
        else {
            return false;
        };
        let Some(packet) = made.get_mut(..header::LENGTH + payload.len()).filter(|_| is_sending) else {
            *first = true;
            return false;
        };
        packet[header::LENGTH..].copy_from_slice(payload);
        self.outgoing.frame(packet, codec.payload_type, std::mem::take(first), now_us);
        self.transmit(packet);
        true
    }
}

/// Counts the sessions that have a room, for as long as they have it.
#[derive(Debug)]
struct Open;

impl Open {
    fn new() -> Self {
        metrics::gauge!(MIXED).increment(1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!(MIXED).decrement(1.0);
    }
}
