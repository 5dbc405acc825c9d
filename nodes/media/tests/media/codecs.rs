//! Far ends that do not speak the same: each hears the other, the prompts and the keys, and the recording has both.

use mangrove_codec::Encoding;
use mangrove_proto::media::{Codec, Endpoint, SetSession, TelephoneEvent, media_event::Fact};
use mangrove_rtp::{
    digit::{Packet, Receiver, Sender},
    g711::Law,
    header, tone,
};

use crate::{
    phone::{Heard, Phone},
    play,
    recording::{finished, sides},
    support::*,
    talk::on_ports,
};

const LOUD: f64 = 2000.0;
/// Opus and G.729 make something of a tone that is not it.
const QUIET: f64 = 900.0;

/// The endpoint in another encoding than its law.
fn speaking(encoding: Encoding, payload_type: u32, endpoint: Endpoint) -> Endpoint {
    let codec = Codec {
        payload_type,
        name: encoding.name().into(),
        clock_rate: encoding.clock_rate(),
        channels: Some(encoding.channels().into()),
        ..Codec::default()
    };
    Endpoint { codec: Some(codec), ..endpoint }
}

fn assert_unbroken(heard: &[Heard]) {
    for pair in heard.windows(2) {
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
        assert_eq!(pair[1].header.ssrc, pair[0].header.ssrc);
    }
}

/// A talk between somebody who speaks an encoding (440 Hz) and a phone with A-law (1000 Hz).
struct Talk {
    encoding: Encoding,
    a: Phone,
    b: Phone,
    set: SetSession,
}

impl Talk {
    async fn of(encoding: Encoding, payload_type: u32) -> Self {
        let (a, b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
        let ea = speaking(encoding, payload_type, endpoint("a", Law::A, a.address()));
        let set = bridged(1, ea, endpoint("b", Law::A, b.address()));
        Self { encoding, a, b, set }
    }

    fn is_heard(&self) -> bool {
        let (at_a, at_b) = (self.a.level_in(self.encoding, 1000.0), self.b.level(440.0));
        at_a > LOUD && at_b > LOUD
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hears_the_other_whatever_they_speak() {
    for (encoding, payload_type) in [(Encoding::Opus, 111u8), (Encoding::G722, 9), (Encoding::G729, 18)] {
        let node = Node::start();
        let mut talk = Talk::of(encoding, payload_type.into()).await;
        let ours = node.ready(talk.set.clone()).await;
        talk.a.talk_in(encoding, payload_type, ours[0], 440.0);
        talk.b.talk(ours[1], 1000.0);
        until("they hear each other", || talk.is_heard()).await;
        if encoding != Encoding::G729 {
            let echoes = [talk.a.level_in(encoding, 440.0), talk.b.level(1000.0)];
            assert!(echoes.iter().all(|level| *level < QUIET), "{encoding:?}: {echoes:?}");
        }
        for (phone, number) in [(&talk.a, payload_type), (&talk.b, 8)] {
            let heard = phone.heard();
            assert!(heard.iter().all(|packet| packet.header.payload_type == number), "{encoding:?}");
            assert_unbroken(&heard);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_talk_goes_on_through_the_next_process() {
    let first = Node::start();
    let mut talk = Talk::of(Encoding::Opus, 111).await;
    let ours = first.ready(talk.set.clone()).await;
    talk.a.talk_in(Encoding::Opus, 111, ours[0], 440.0);
    talk.b.talk(ours[1], 1000.0);
    until("they hear each other", || talk.is_heard()).await;
    let store = first.objects.clone();
    first.media.stop().await;
    drop(first);

    let second = Node::start_with(store, |options| options.run = 2);
    assert_eq!(second.ready(on_ports(talk.set.clone(), &ours)).await, ours);
    talk.a.forget();
    talk.b.forget();
    until("they hear each other again", || talk.is_heard()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_heard_in_the_encoding_of_who_hears_it() {
    for (encoding, payload_type) in [(Encoding::Opus, 111), (Encoding::G722, 9), (Encoding::G729, 18)] {
        let node = Node::start_with(play::sounds().await, |_| {});
        let a = Phone::new("127.0.0.1", Law::A).await;
        let ea = speaking(encoding, payload_type, endpoint("a", Law::A, a.address()));
        node.ready(session(1, vec![playing(ea, "p", &["prompt/tone"], false)])).await;
        let is_over = |fact: &Fact| matches!(fact, Fact::PlayFinished(_)).then_some(());
        node.fact("it is finished", is_over).await;
        until("all of it is heard", || a.count() >= 50).await;
        let heard = a.heard();
        assert_eq!(heard.len(), 50);
        assert_unbroken(&heard);
        let step = |pair: &[Heard]| pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp);
        assert!(heard.windows(2).all(|pair| step(pair) == encoding.clock_rate() / 50), "{encoding:?}");
        let level = a.level_in(encoding, 300.0);
        assert!(level > LOUD, "{encoding:?}: {level}");
    }
}

/// Two who speak the same: each packet is passed on as it came, and recorded beside that.
#[tokio::test(flavor = "multi_thread")]
async fn a_recording_has_those_whose_sound_is_passed_on_untouched() {
    for (encoding, payload_type, quiet) in
        [(Encoding::G722, 9u8, 300.0), (Encoding::Opus, 111, QUIET), (Encoding::G729, 18, 2000.0)]
    {
        let node = Node::start();
        let (mut a, mut b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
        let [ea, eb] = [("a", &a), ("b", &b)].map(|(id, phone)| {
            speaking(encoding, payload_type.into(), endpoint(id, Law::A, phone.address()))
        });
        let ours = node.ready(recording(bridged(1, ea, eb), "r", "a", "b")).await;
        a.talk_in(encoding, payload_type, ours[0], 440.0);
        b.talk_in(encoding, payload_type, ours[1], 1000.0);
        let hear = || a.level_in(encoding, 1000.0) > LOUD && b.level_in(encoding, 440.0) > LOUD;
        until("they hear each other", hear).await;
        let sent = a.sent();
        until("a second of talk has passed", || a.sent() > sent + 50).await;
        node.ready(close(2)).await;
        let finished = finished(&node, "r").await;
        assert_eq!(finished.missing_ms, 0, "{encoding:?}");
        let [left, right] = sides(&node, &finished).await;
        for (side, own, other) in [(&left, 440.0, 1000.0), (&right, 1000.0, 440.0)] {
            let levels = [own, other].map(|hertz| tone::level(&side[2000..8000], hertz));
            assert!(levels[0] > LOUD && levels[1] < quiet, "{encoding:?}: {levels:?}");
        }
    }
}

/// The packets of a press of 100 ms, the `number`th of a stream of its own.
fn presses(key: char, payload_type: u8, clock: u32, number: u16) -> Vec<Vec<u8>> {
    let mut sender = Sender::new(key, 100, clock).unwrap();
    let events = std::iter::from_fn(|| sender.next());
    let packet = |(sequence, event): (u16, Packet)| {
        let mut bytes = vec![0; header::LENGTH];
        let timestamp = u32::from(number) * clock;
        header::write(&mut bytes, payload_type, event.marker, number * 100 + sequence, timestamp, 2);
        bytes.extend(event.payload);
        bytes
    };
    (0..).zip(events).map(packet).collect()
}

/// The keys, with milliseconds, that a phone with G.711 heard.
fn keys(heard: &[Heard]) -> Vec<(char, u32)> {
    let mut receiver = Receiver::default();
    let events = heard.iter().filter(|packet| packet.header.payload_type == 101);
    let digits = events.flat_map(|packet| {
        receiver.receive(packet.header.timestamp, 8_000, &packet.payload, 0).collect::<Vec<_>>()
    });
    digits.map(|digit| (digit.key, digit.duration_ms)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_pressed_before_the_first_sound_is_one_key() {
    let node = Node::start();
    let mut talk = Talk::of(Encoding::G722, 9).await;
    let ours = node.ready(talk.set.clone()).await;
    let press = presses('7', 101, 8_000, 1);
    let (begun, rest) = press.split_at(press.len() - 2);
    for bytes in begun {
        talk.a.send(bytes, ours[0]).await;
    }
    until("the key is heard", || talk.b.count() == begun.len()).await;
    talk.a.talk_in(Encoding::G722, 9, ours[0], 440.0);
    until("the sound is heard", || talk.b.heard().iter().any(|packet| packet.header.payload_type == 8)).await;
    for bytes in rest {
        talk.a.send(bytes, ours[0]).await;
    }
    let events = || talk.b.heard().iter().filter(|packet| packet.header.payload_type == 101).count();
    until("all of the key is heard", || events() == press.len()).await;
    let heard = talk.b.heard();
    assert_eq!(keys(&heard), [('7', 100)]);
    assert_unbroken(&heard);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_beside_opus_are_keys_beside_g711_once_each() {
    let node = Node::start();
    let mut talk = Talk::of(Encoding::Opus, 111).await;
    let wide = TelephoneEvent { payload_type: 110, clock_rate: 48_000, expected: None };
    talk.set.endpoints[0].events = vec![wide];
    talk.set.endpoints[0].telephone_event = 0;
    let ours = node.ready(talk.set.clone()).await;
    talk.a.talk_in(Encoding::Opus, 111, ours[0], 440.0);
    until("the talk has begun", || talk.b.count() > 5).await;
    for (press, key) in (1..).zip(['5', '5', '#']) {
        for bytes in presses(key, 110, 48_000, press) {
            talk.a.send(&bytes, ours[0]).await;
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    let sent = talk.a.sent();
    until("the talk goes on", || talk.a.sent() > sent + 10 && talk.b.count() as u64 > sent).await;
    let heard = talk.b.heard();
    assert_eq!(keys(&heard), [('5', 100), ('5', 100), ('#', 100)]);
    assert_unbroken(&heard);
    let reported = |fact: &Fact| if let Fact::Digit(digit) = fact { Some(digit.digit.clone()) } else { None };
    let reported: String = node.facts().iter().filter_map(reported).collect();
    assert_eq!(reported, "55#");
}
