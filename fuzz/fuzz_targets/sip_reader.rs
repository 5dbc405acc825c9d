//! Any bytes, as a datagram and as a stream, through everything that reads a message before a dialog does.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mangrove_sip::digest::Nonces;
use mangrove_sip::registrar::Bindings;
use mangrove_sip::screen::{Screen, screen};
use mangrove_sip::transaction::{Input, Layer, Output};
use mangrove_sip::wire::{Error, Frame, StreamFramer};
use mangrove_sip::{Message, Source, Transport};

fuzz_target!(|bytes: &[u8]| {
    match Message::parse(bytes) {
        Ok(message) => {
            assert_eq!(Message::parse(&message.to_bytes()).as_ref(), Ok(&message), "written as it was read");
            everything_above(message);
        }
        Err(error) => {
            let answer = error.answer();
            let response = error.partial.is_some_and(|partial| partial.is_response());
            assert!(!(response && answer.is_some()), "no answer to a response");
            if let Some(answer) = answer {
                assert!(Message::parse(&answer.to_bytes()).is_ok(), "our answers are sound");
            }
        }
    }
    if !names_content_type(bytes) {
        assert_eq!(in_pieces(bytes, 1), in_pieces(bytes, 13), "cut as you like");
    }
});

fn source() -> Source {
    let address = |text: &str| text.parse().expect("address");
    Source { transport: Transport::Udp, remote: address("192.0.2.1:9"), local: address("192.0.2.2:5060"), flow: None }
}

fn everything_above(message: Message) {
    let is_response = message.is_response();
    let _ = screen(&message, &Screen::default());
    let _ = (message.from(), message.to(), message.contact(), message.u32_of("Expires"));
    if message.is_request() {
        let _ = Bindings::default().register(&message, &source(), 0);
        let _ = Nonces::new([0; 32], 1).check(&message, "example.com", source().remote.ip(), 0, |_| None);
    }
    let mut layer = Layer::default();
    let outputs = layer.handle(Input::Message { message, source: source(), now: 0 });
    let transmits = outputs.iter().any(|output| matches!(output, Output::Transmit { .. }));
    assert!(!(is_response && transmits), "no answer to a response");
}

/// What a stream of these bytes gives, read in pieces.
fn in_pieces(bytes: &[u8], piece: usize) -> Vec<Result<Frame, Error>> {
    let mut framer = StreamFramer::new();
    let mut found = Vec::new();
    for piece in bytes.chunks(piece) {
        framer.push(piece);
        found.extend(std::iter::from_fn(|| framer.next()));
    }
    found.retain(|frame| !matches!(frame, Ok(Frame::Ping | Frame::Pong)));
    found
}

/// A body without Content-Length ends where its piece does: then the pieces matter.
fn names_content_type(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    text.lines().filter_map(|line| line.split_once(':')).any(|(name, _)| matches!(name.trim(), "c" | "content-type"))
}
