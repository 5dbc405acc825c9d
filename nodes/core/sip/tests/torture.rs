//! Every message of RFC 4475 and RFC 5118 gets the reaction its index names, as a datagram and over a stream.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mangrove_sip::digest::{Nonces, Verdict};
use mangrove_sip::registrar::Bindings;
use mangrove_sip::screen::{Screen, policy};
use mangrove_sip::transaction::{Input, Layer, Output};
use mangrove_sip::wire::{Error, Frame, StreamFramer};
use mangrove_sip::{Message, Method, Seed, Source, Transport};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    file: String,
    #[serde(rename = "type")]
    kind: String,
    expect: String,
    ok: Vec<String>,
    bad: Vec<String>,
}

fn entries(folder: &str) -> Vec<(Entry, Vec<u8>)> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture").join(folder);
    let index = std::fs::read_to_string(folder.join("index.json")).expect("index is there");
    let entries: Vec<Entry> = serde_json::from_str(&index).expect("index is sound");
    let with_bytes = |entry: Entry| {
        let bytes = std::fs::read(folder.join(&entry.file)).expect("message is there");
        (entry, bytes)
    };
    entries.into_iter().map(with_bytes).collect()
}

fn source(transport: Transport) -> Source {
    Source {
        transport,
        remote: "198.51.100.7:40000".parse().expect("address"),
        local: "192.0.2.200:5060".parse().expect("address"),
        flow: transport.is_reliable().then(|| "f1".to_owned()),
    }
}

/// What the far end sees of an element that offers what this crate does: 200 stands for "goes on to the user agent",
/// which is a reaction of an element that found the message well-formed.
fn reaction_to_message(message: Message, transport: Transport) -> Option<u16> {
    let outputs = Layer::default().handle(Input::Message { message, source: source(transport), now: 0 });
    outputs.into_iter().find_map(|output| match output {
        Output::Transmit { bytes, .. } => Message::parse(&bytes).expect("we write sound messages").status(),
        Output::Request { message, source, .. } => Some(reaction_of_user(&message, &source)),
        Output::Response { .. } => panic!("no request was sent"),
        _ => None,
    })
}

fn reaction_of_user(message: &Message, source: &Source) -> u16 {
    if let Some(answer) = policy(message, &Screen::default()).answer(message, "t") {
        return answer.status().expect("an answer");
    }
    let credentials =
        Nonces::new([0; 32], 60_000).check(message, "example.com", source.remote.ip(), 0, |_| None);
    if message.header("Authorization").is_some() && credentials == Verdict::Challenge {
        return 401;
    }
    if message.is(&Method::REGISTER) {
        return match Bindings::default().register(message, source, 0) {
            Ok(registered) => registered.response.status().expect("a response"),
            Err(refused) => refused.status,
        };
    }
    200
}

fn reaction_to_error(error: &Error) -> Option<u16> {
    error.answer().map(|answer| answer.status().expect("an answer"))
}

fn over_udp(bytes: &[u8]) -> Option<u16> {
    match Message::parse(bytes) {
        Ok(message) => reaction_to_message(message, Transport::Udp),
        Err(error) => reaction_to_error(&error),
    }
}

/// The reaction to the first message of a stream, read in pieces of this size.
fn over_tcp(bytes: &[u8], piece: usize) -> Option<u16> {
    let mut framer = StreamFramer::new();
    for piece in bytes.chunks(piece) {
        framer.push(piece);
        while let Some(found) = framer.next() {
            match found {
                Ok(Frame::Message(message)) => return reaction_to_message(*message, Transport::Tcp),
                Ok(Frame::Ping | Frame::Pong) => {}
                Err(error) => return reaction_to_error(&error),
            }
        }
    }
    None
}

fn words_for(reaction: Option<u16>) -> BTreeSet<String> {
    let Some(status) = reaction else { return BTreeSet::from(["NONE".to_owned()]) };
    let mut words = BTreeSet::from([status.to_string(), "ANY".to_owned()]);
    if !matches!(status, 400 | 505) {
        words.insert("WF".to_owned());
    }
    words
}

/// `2xx` forbids acting on the message; going on to the user agent is acting on it.
fn check(entry: &Entry, reaction: Option<u16>, way: &str) {
    let words = words_for(reaction);
    let fits = |expected: &String| words.contains(expected) || (expected == "2xx" && reaction == Some(200));
    let name = format!("{} over {way}: {reaction:?}, expected {:?} ({})", entry.name, entry.ok, entry.expect);
    assert!(entry.ok.iter().any(fits), "{name}");
    assert!(!entry.bad.iter().any(fits), "forbidden: {name}");
}

#[test]
fn every_datagram_gets_the_reaction_its_index_names() {
    let all: Vec<_> = entries("").into_iter().chain(entries("ipv6")).collect();
    assert_eq!(all.len(), 62);
    for (entry, bytes) in &all {
        check(entry, over_udp(bytes), "UDP");
    }
}

#[test]
fn every_stream_gets_the_reaction_its_index_names() {
    for (entry, bytes) in entries("").into_iter().chain(entries("ipv6")) {
        match entry.name.as_str() {
            // Its body never ends: the element waits, and closes the connection when its patience does.
            "clerr" => assert_eq!(over_tcp(&bytes, bytes.len()), None),
            _ => check(&entry, over_tcp(&bytes, bytes.len()), "TCP"),
        }
    }
}

/// A message without Content-Length (inv2543) ends where its first piece does, so it alone is left out.
#[test]
fn a_stream_may_come_in_pieces_of_any_size() {
    for (entry, bytes) in entries("").into_iter().chain(entries("ipv6")) {
        if entry.name == "inv2543" {
            continue;
        }
        let whole = over_tcp(&bytes, bytes.len());
        for piece in [1, 7, 100] {
            assert_eq!(over_tcp(&bytes, piece), whole, "{} in pieces of {piece}", entry.name);
        }
    }
}

#[test]
fn what_is_read_is_written_so_that_it_reads_the_same() {
    for (entry, bytes) in entries("").into_iter().chain(entries("ipv6")) {
        if let Ok(message) = Message::parse(&bytes) {
            assert_eq!(Message::parse(&message.to_bytes()), Ok(message), "{}", entry.name);
        }
    }
}

#[test]
fn no_response_is_ever_answered() {
    for (entry, bytes) in entries("") {
        if entry.kind == "response" {
            assert_eq!(over_udp(&bytes), None, "{}", entry.name);
        }
    }
}

fn message(name: &str) -> Message {
    let all = entries("");
    let (_, bytes) = all.iter().find(|(entry, _)| entry.name == name).expect("message is there");
    Message::parse(bytes).expect("message is well-formed")
}

#[test]
fn the_tortuous_invite_is_understood_whole() {
    let invite = message("wsinv");
    assert_eq!(invite.cseq(), Ok((9, Method::INVITE)));
    assert_eq!((invite.from_tag(), invite.to_tag()), (Some("98asjd8"), Some("1918181833n")));
    assert_eq!(invite.headers("Via").count(), 3);
    assert_eq!(invite.u32_of("Max-Forwards"), Some(68));
    assert_eq!(invite.header("Subject"), Some(""));
    assert_eq!(invite.body().len(), 150);
    let contact = invite.contact().expect("sound").expect("there");
    assert_eq!(contact.display.as_deref(), Some("Quoted string \"\""));
    assert_eq!((contact.params.get("q"), contact.params.get("newparam")), (Some("0.33"), Some("newvalue")));
}

#[test]
fn escapes_mean_what_they_say() {
    let uri = message("esc01").request_uri().expect("sound");
    assert_eq!(uri.user().as_deref(), Some("sips:user@example.com"));
    assert_eq!(
        message("semiuri").request_uri().expect("sound").user.as_deref(),
        Some("user;par=u%40example.net")
    );
    assert_eq!(message("esc02").contacts().count(), 2, "an escaped header name is another name");
    let mut bindings = Bindings::default();
    bindings.register(&message("escnull"), &source(Transport::Udp), 0).expect("registers");
    assert_eq!(bindings.live(0).count(), 2, "a NUL shortens nothing");
}

#[test]
fn registered_uris_keep_parameters_and_lose_headers() {
    for (name, contact) in [
        ("cparam01", "sip:+19725552222@gw1.example.net"),
        ("cparam02", "sip:+19725552222@gw1.example.net;unknownparam"),
        ("regescrt", "sip:user@example.com"),
    ] {
        let mut bindings = Bindings::default();
        bindings.register(&message(name), &source(Transport::Udp), 0).expect("registers");
        let found: Vec<_> = bindings.live(0).map(|binding| binding.contact.to_string()).collect();
        assert_eq!(found, [contact], "{name}");
    }
}

#[test]
fn a_binary_body_is_kept_byte_for_byte() {
    let bytes = message("mpart01");
    assert_eq!(bytes.body().len(), 553);
    assert!(bytes.body().windows(4).any(|four| four == [0x30, 0x82, 0x01, 0x52]));
}

#[test]
fn a_refusal_names_what_is_not_supported() {
    for (name, status, header, value) in [
        ("bext01", 420, "Unsupported", "nothingSupportsThis, nothingSupportsThisEither"),
        (
            "invut",
            415,
            "Accept",
            "application/sdp, message/sipfrag, application/dtmf-relay, application/dtmf",
        ),
    ] {
        let request = message(name);
        let answer = policy(&request, &Screen::default()).answer(&request, "t").expect("refused");
        let values: Vec<_> = answer.headers(header).collect();
        assert_eq!((answer.status(), values.join(", ").as_str()), (Some(status), value), "{name}");
    }
}

/// One of: a bit turned, a byte doubled, a stretch cut out, the rest cut off.
fn damage(bytes: &mut Vec<u8>, chance: &mut Seed) {
    let at = chance.below(bytes.len() as u64) as usize;
    match chance.below(4) {
        0 => bytes[at] ^= 1 << chance.below(8),
        1 => bytes.insert(at, bytes[at]),
        2 if bytes.len() > 10 => drop(bytes.drain(at..(at + chance.below(9) as usize).min(bytes.len()))),
        _ => bytes.truncate(at.max(1)),
    }
}

#[test]
fn damaged_messages_are_survived_and_answered_soundly() {
    let mut chance = Seed::new(4475);
    for (entry, bytes) in entries("").into_iter().chain(entries("ipv6")) {
        for _ in 0..300 {
            let mut damaged = bytes.clone();
            (0..=chance.below(4)).for_each(|_| damage(&mut damaged, &mut chance));
            over_udp(&damaged);
            over_tcp(&damaged, 50);
            if let Ok(message) = Message::parse(&damaged) {
                let again = Message::parse(&message.to_bytes());
                assert_eq!(again, Ok(message), "{} damaged: {}", entry.name, damaged.escape_ascii());
            }
        }
    }
}
