//! Conferences in virtual time: each hears the others and not themselves, of many the loudest.

use mangrove_rtp::tone;

use super::Voice;
use crate::{
    Decoder, Encoding, Packet,
    mix::{Chime, Crowd, TICK_MS},
};

/// Somebody who speaks and hears.
struct Guest {
    voice: Voice,
    decoder: Decoder,
    heard: Vec<i16>,
}

impl Guest {
    fn new(name: usize, encoding: Encoding, hertz: f64, amplitude: f64) -> Self {
        let voice = Voice { amplitude, ..Voice::new(name, encoding, hertz) };
        Self { voice, decoder: Decoder::new(encoding).unwrap(), heard: Vec::new() }
    }

    fn encoding(&self) -> Encoding {
        self.voice.encoder.encoding()
    }

    /// How loud a tone was in the last half second.
    fn level(&self, hertz: f64) -> f64 {
        let rate = self.encoding().sample_rate();
        let last = &self.heard[self.heard.len() - rate as usize / 2..];
        tone::level(last, hertz * 8000.0 / f64::from(rate))
    }
}

fn guests<const N: usize>(encoding: Encoding) -> [Guest; N] {
    std::array::from_fn(|at| Guest::new(at, encoding, 300.0 + 200.0 * at as f64, 3000.0))
}

fn seated(guests: &[Guest]) -> Crowd {
    let mut crowd = Crowd::new();
    guests.iter().for_each(|guest| crowd.seat(guest.voice.name, guest.encoding(), false));
    crowd
}

/// All speak for so many ticks.
fn talk(crowd: &mut Crowd, guests: &mut [Guest], ticks: std::ops::Range<u64>) {
    for number in ticks {
        let now_us = number * 20_000;
        for guest in guests.iter_mut() {
            let encoding = guest.encoding();
            let (sequence, payload) = guest.voice.next();
            let timestamp = u32::from(sequence) * encoding.ticks(encoding.samples_of_ms(TICK_MS));
            let source = guest.voice.name as u64;
            let packet = Packet { source, sequence, timestamp, marker: false, payload: &payload };
            crowd.hear(guest.voice.name, encoding, &packet, now_us);
        }
        crowd.tick(now_us + 5000, |name, payload| {
            let guest = &mut guests[name];
            let mut out = [0; 640];
            let count = guest.decoder.decode_into(payload, &mut out).unwrap();
            guest.heard.extend_from_slice(&out[..count]);
        });
    }
}

fn assert_heard(guests: &[Guest], listener: usize, speakers: &[usize]) {
    for speaker in guests {
        let level = guests[listener].level(speaker.voice.hertz);
        let is_heard = speakers.contains(&speaker.voice.name);
        let what = format!("{listener} hears {} at {level}", speaker.voice.name);
        assert!(if is_heard { level > 1800.0 } else { level < 400.0 }, "{what}");
    }
}

#[test]
fn each_of_three_hears_the_others_and_not_themselves_in_whatever_encoding() {
    for encoding in [Encoding::Pcma, Encoding::Pcmu, Encoding::G722, Encoding::Opus] {
        let [mut first, second, third] = guests::<3>(Encoding::Pcma);
        first = Guest::new(0, encoding, first.voice.hertz, 3000.0);
        let mut guests = [first, second, third];
        let mut crowd = seated(&guests);
        talk(&mut crowd, &mut guests, 0..100);
        for (listener, speakers) in [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])] {
            assert_heard(&guests, listener, &speakers);
        }
        assert_eq!(crowd.made_up_ms(), 0, "{encoding:?}");
    }
}

#[test]
fn who_is_muted_hears_and_is_not_heard_until_they_may_speak_again() {
    let mut guests = guests::<3>(Encoding::Pcma);
    let mut crowd = seated(&guests);
    crowd.seat(1, Encoding::Pcma, true);
    talk(&mut crowd, &mut guests, 0..100);
    assert_heard(&guests, 0, &[2]);
    assert_heard(&guests, 1, &[0, 2]);
    crowd.seat(1, Encoding::Pcma, false);
    talk(&mut crowd, &mut guests, 100..200);
    assert_heard(&guests, 0, &[1, 2]);
    crowd.leave(1);
    talk(&mut crowd, &mut guests, 200..300);
    assert_heard(&guests, 0, &[2]);
}

#[test]
fn of_many_the_loudest_are_heard_and_keep_their_places_until_somebody_is_much_louder() {
    let mut guests = guests::<6>(Encoding::Pcma);
    [0, 1].into_iter().for_each(|quieter| guests[quieter].voice.amplitude = 2400.0);
    let mut crowd = seated(&guests);
    talk(&mut crowd, &mut guests, 0..100);
    let among = |guests: &[Guest], listener: usize| {
        let is_heard = |one: &&Guest| guests[listener].level(one.voice.hertz) > 1500.0;
        guests.iter().filter(is_heard).map(|one| one.voice.name).collect::<Vec<_>>()
    };
    // Four, of which a listener among them hears three.
    assert_eq!(among(&guests, 0), [2, 3, 4, 5]);
    assert_eq!(among(&guests, 2), [3, 4, 5]);
    guests[0].voice.amplitude = 4000.0;
    talk(&mut crowd, &mut guests, 100..200);
    assert_eq!(among(&guests, 1), [2, 3, 4, 5], "a little louder is no reason");
    guests[0].voice.amplitude = 9000.0;
    talk(&mut crowd, &mut guests, 200..300);
    assert!(among(&guests, 1).contains(&0), "{:?}", among(&guests, 1));
    assert_eq!(among(&guests, 1).len(), 4);
}

#[test]
fn who_pauses_gives_their_place_to_others_after_a_while() {
    let mut guests = guests::<6>(Encoding::Pcma);
    [4, 5].into_iter().for_each(|silent| guests[silent].voice.amplitude = 0.0);
    let mut crowd = seated(&guests);
    talk(&mut crowd, &mut guests, 0..100);
    assert_heard(&guests, 5, &[0, 1, 2, 3]);
    guests[0].voice.amplitude = 0.0;
    guests[4].voice.amplitude = 3000.0;
    talk(&mut crowd, &mut guests, 100..110);
    assert!(guests[5].level(guests[4].voice.hertz) < 400.0, "a breath is no end");
    talk(&mut crowd, &mut guests, 110..240);
    assert_heard(&guests, 5, &[1, 2, 3, 4]);
}

#[test]
fn all_hear_a_chime_once() {
    let mut guests = guests::<2>(Encoding::Pcma);
    guests.iter_mut().for_each(|guest| guest.voice.amplitude = 0.0);
    let mut crowd = seated(&guests);
    crowd.chime(Chime::Entered);
    crowd.chime(Chime::Left);
    talk(&mut crowd, &mut guests, 0..50);
    for guest in &guests {
        let (low, high) = (&guest.heard[80..880], &guest.heard[1040..1840]);
        assert!(tone::level(low, 523.25) > 1500.0 && tone::level(high, 783.99) > 1500.0);
        assert!(tone::level(&guest.heard[2400..], 783.99) < 100.0, "it ends");
    }
}
