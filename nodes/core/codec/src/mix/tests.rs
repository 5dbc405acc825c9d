//! Rooms in virtual time: people speak tones, packets come late or not at all, and each hears whom they may hear.

mod crowd;

use mangrove_rtp::tone;

use super::{Room, Seat, TICK_MS};
use crate::{Decoder, Encoder, Encoding, MOST_BYTES, Packet};

/// Speaks a tone, a packet a tick.
struct Voice {
    name: usize,
    hertz: f64,
    amplitude: f64,
    encoder: Encoder,
    said: u16,
}

impl Voice {
    fn new(name: usize, encoding: Encoding, hertz: f64) -> Self {
        Self { name, hertz, amplitude: 5000.0, encoder: Encoder::new(encoding).unwrap(), said: 0 }
    }

    /// The next payload, with its number.
    fn next(&mut self) -> (u16, Vec<u8>) {
        let encoding = self.encoder.encoding();
        let count = encoding.samples_of_ms(TICK_MS);
        let from = u64::from(self.said) * count as u64;
        let hertz = self.hertz * 8000.0 / f64::from(encoding.sample_rate());
        let sound = tone::sine(hertz, self.amplitude, from, count);
        let mut bytes = [0; MOST_BYTES];
        let length = self.encoder.encode_into(&sound, &mut bytes).unwrap();
        self.said += 1;
        (self.said - 1, bytes[..length].to_vec())
    }
}

fn hand(room: &mut Room, voice: &Voice, (number, payload): &(u16, Vec<u8>), now_us: u64) {
    let encoding = voice.encoder.encoding();
    let ticks = encoding.ticks(encoding.samples_of_ms(TICK_MS));
    let (sequence, timestamp) = (*number, u32::from(*number) * ticks);
    let packet = Packet { source: voice.name as u64, sequence, timestamp, marker: false, payload };
    room.hear(voice.name, encoding, &packet, now_us);
}

/// A listener, and what they have heard.
struct Listener {
    seat: Seat,
    decoder: Decoder,
    heard: Vec<i16>,
    last: Vec<u8>,
}

impl Listener {
    fn new(listener: usize, hears: &[usize], encoding: Encoding) -> Self {
        let (seat, decoder) =
            (Seat { listener, hears: hears.to_vec(), encoding }, Decoder::new(encoding).unwrap());
        Self { seat, decoder, heard: Vec::new(), last: Vec::new() }
    }

    fn take(&mut self, payload: &[u8]) {
        let mut out = [0; 640];
        let count = self.decoder.decode_into(payload, &mut out).unwrap();
        self.heard.extend_from_slice(&out[..count]);
        self.last = payload.to_vec();
    }

    /// How loud a tone was in the last half second.
    fn level(&self, hertz: f64) -> f64 {
        let rate = self.seat.encoding.sample_rate();
        let last = &self.heard[self.heard.len() - rate as usize / 2..];
        tone::level(last, hertz * 8000.0 / f64::from(rate))
    }
}

fn arrange(room: &mut Room, listeners: &[Listener], voices: &[Voice]) {
    let seats: Vec<Seat> = listeners.iter().map(|listener| listener.seat.clone()).collect();
    let spoken: Vec<_> = voices.iter().map(|voice| (voice.name, voice.encoder.encoding())).collect();
    room.arrange(&seats, &spoken);
}

fn tick(room: &mut Room, listeners: &mut [Listener], now_us: u64) {
    room.tick(now_us, |name, payload| {
        listeners.iter_mut().filter(|one| one.seat.listener == name).for_each(|one| one.take(payload));
    });
}

/// All speak for two seconds.
fn talk(room: &mut Room, listeners: &mut [Listener], voices: &mut [Voice]) {
    for number in 0..100 {
        let now_us = number * 20_000;
        for voice in voices.iter_mut() {
            let said = voice.next();
            hand(room, voice, &said, now_us);
        }
        tick(room, listeners, now_us + 5000);
    }
}

#[test]
fn each_hears_whom_they_may_and_nobody_else() {
    for encoding in [Encoding::Pcma, Encoding::Pcmu, Encoding::G722, Encoding::Opus] {
        let mut voices = [
            Voice::new(1, encoding, 400.0),
            Voice::new(2, Encoding::Pcma, 700.0),
            Voice::new(3, Encoding::G722, 1100.0),
        ];
        // A whisper: the third hears both and is heard by the second alone.
        let mut listeners = [
            Listener::new(1, &[2], encoding),
            Listener::new(2, &[1, 3], Encoding::Pcma),
            Listener::new(3, &[1, 2], Encoding::G722),
        ];
        let mut room = Room::new();
        arrange(&mut room, &listeners, &voices);
        talk(&mut room, &mut listeners, &mut voices);
        for listener in &listeners {
            for voice in &voices {
                let level = listener.level(voice.hertz);
                let is_heard = listener.seat.hears.contains(&voice.name);
                assert_eq!(level > 3000.0, is_heard, "{encoding:?}: {} {level}", voice.name);
                assert!(is_heard || level < 600.0, "{encoding:?}: {} {level}", voice.name);
            }
        }
        assert_eq!(room.made_up_ms(), 0, "{encoding:?}");
    }
}

#[test]
fn what_is_said_wide_is_heard_wide() {
    let mut voices = [Voice::new(1, Encoding::G722, 6000.0)];
    let mut listeners = [Listener::new(9, &[1], Encoding::G722), Listener::new(8, &[1], Encoding::Pcma)];
    let mut room = Room::new();
    arrange(&mut room, &listeners, &voices);
    talk(&mut room, &mut listeners, &mut voices);
    assert!(listeners[0].level(6000.0) > 2500.0, "{}", listeners[0].level(6000.0));
}

#[test]
fn who_hears_the_same_in_the_same_encoding_shares_an_encoder() {
    let mut voices = [Voice::new(1, Encoding::Pcma, 400.0), Voice::new(2, Encoding::Pcma, 700.0)];
    let mut listeners = [
        Listener::new(5, &[1, 2], Encoding::Pcmu),
        Listener::new(6, &[1, 2], Encoding::Pcmu),
        Listener::new(7, &[1, 2], Encoding::Opus),
        Listener::new(1, &[2], Encoding::Pcmu),
    ];
    let mut room = Room::new();
    arrange(&mut room, &listeners, &voices);
    assert_eq!(room.encoders(), 3);
    talk(&mut room, &mut listeners, &mut voices);
    assert_eq!(listeners[0].last, listeners[1].last);
    assert_eq!(room.listeners_of(1).collect::<Vec<_>>(), [5, 6, 7]);
    arrange(&mut room, &listeners[..1], &voices);
    assert_eq!((room.encoders(), room.listeners_of(2).collect::<Vec<_>>()), (1, vec![5]));
}

#[test]
fn sums_that_are_too_loud_are_cut_off_and_do_not_turn_over() {
    let mut voices = [1, 2, 3].map(|name| Voice::new(name, Encoding::Pcma, 500.0));
    voices.iter_mut().for_each(|voice| voice.amplitude = 30_000.0);
    let mut listeners = [Listener::new(9, &[1, 2, 3], Encoding::Pcma)];
    let mut room = Room::new();
    arrange(&mut room, &listeners, &voices);
    talk(&mut room, &mut listeners, &mut voices);
    assert!(listeners[0].level(500.0) > 30_000.0, "{}", listeners[0].level(500.0));
}

#[test]
fn a_talk_goes_on_without_a_seam_while_others_come_and_go() {
    let mut voices = [Voice::new(1, Encoding::Pcma, 400.0), Voice::new(2, Encoding::Pcma, 700.0)];
    let mut first = [Listener::new(2, &[1], Encoding::Pcma)];
    let mut room = Room::new();
    arrange(&mut room, &first, &voices);
    talk(&mut room, &mut first, &mut voices[..1]);
    let before = first[0].heard.len();
    let others = [Listener::new(2, &[1], Encoding::Pcma), Listener::new(9, &[1, 2], Encoding::G722)];
    arrange(&mut room, &others, &voices);
    for number in 100..150 {
        let said = voices[0].next();
        hand(&mut room, &voices[0], &said, number * 20_000);
        tick(&mut room, &mut first, number * 20_000 + 5000);
    }
    let level = tone::level(&first[0].heard[before - 400..before + 400], 400.0);
    assert!(level > 4500.0, "{level}");
    assert_eq!(room.made_up_ms(), 0);
}

#[test]
fn who_takes_anothers_place_is_not_heard_as_the_other() {
    let mut voices = [Voice::new(1, Encoding::Pcma, 400.0)];
    let mut listeners = [Listener::new(9, &[1], Encoding::Pcma)];
    let mut room = Room::new();
    arrange(&mut room, &listeners, &voices);
    talk(&mut room, &mut listeners, &mut voices);
    // He has said 200 ms more, which wait to be heard, when he leaves.
    for _ in 0..10 {
        let said = voices[0].next();
        hand(&mut room, &voices[0], &said, 2_000_000);
    }
    room.forget(1);
    arrange(&mut room, &listeners, &voices);
    let before = listeners[0].heard.len();
    (0..10).for_each(|number| tick(&mut room, &mut listeners, 2_005_000 + number * 20_000));
    let level = tone::level(&listeners[0].heard[before..], 400.0);
    assert!(level < 100.0, "{level}");
}

/// How late each packet comes, in milliseconds; none: it is lost.
type Way = fn(u64) -> Option<u64>;

/// A tone for ten seconds over a way: how loud it was at the end, and how many milliseconds were made up.
fn over(way: Way) -> (f64, u64) {
    let mut voices = [Voice::new(1, Encoding::Pcma, 400.0)];
    let mut listeners = [Listener::new(9, &[1], Encoding::Pcma)];
    let mut room = Room::new();
    arrange(&mut room, &listeners, &voices);
    let mut under_way: Vec<(u64, (u16, Vec<u8>))> = Vec::new();
    for number in 0..500 {
        let (now_us, said) = (number * 20_000, voices[0].next());
        under_way.extend(way(number).map(|late| (now_us + late * 1000, said)));
        let (come, rest): (Vec<_>, Vec<_>) = under_way.drain(..).partition(|(at, _)| *at <= now_us + 5000);
        under_way = rest;
        for (at, said) in come {
            hand(&mut room, &voices[0], &said, at);
        }
        tick(&mut room, &mut listeners, now_us + 5000);
    }
    (listeners[0].level(400.0), room.made_up_ms())
}

#[test]
fn it_learns_how_unevenly_packets_come_and_makes_little_up_then() {
    let even = over(|_| Some(0));
    assert!(even.0 > 4500.0 && even.1 == 0, "{even:?}");
    let uneven = over(|number| Some(number * 37 % 60));
    assert!(uneven.0 > 4000.0 && uneven.1 <= 300, "{uneven:?}");
    let lossy = over(|number| (number % 20 != 19).then_some(0));
    assert!(lossy.0 > 4000.0 && (400..=600).contains(&lossy.1), "{lossy:?}");
}

#[test]
fn a_stall_is_made_up_for_a_moment_and_the_sound_is_back_after_it() {
    let stalled = over(|number| Some(if (200..215).contains(&number) { (215 - number) * 20 } else { 0 }));
    assert!(stalled.0 > 4500.0 && stalled.1 <= 100, "{stalled:?}");
}

#[test]
fn g722_whose_timestamps_count_16_khz_has_no_gaps() {
    let mut voice = Voice::new(1, Encoding::G722, 400.0);
    let mut listeners = [Listener::new(9, &[1], Encoding::Pcma)];
    let mut room = Room::new();
    arrange(&mut room, &listeners, std::slice::from_ref(&voice));
    for number in 0..100 {
        let (now_us, (sequence, payload)) = (number * 20_000, voice.next());
        let timestamp = u32::from(sequence) * 320;
        let packet = Packet { source: 1, sequence, timestamp, marker: false, payload: &payload };
        room.hear(1, Encoding::G722, &packet, now_us);
        tick(&mut room, &mut listeners, now_us + 5000);
    }
    assert!(listeners[0].level(400.0) > 4000.0, "{}", listeners[0].level(400.0));
    assert_eq!(room.made_up_ms(), 0);
}
