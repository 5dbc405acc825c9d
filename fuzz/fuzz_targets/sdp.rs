//! Any bytes as an SDP offer, and as the answer to one of ours.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use libfuzzer_sys::fuzz_target;
use mangrove_sip::sdp::{Direction, MediaAddress, Session, all};

fuzz_target!(|bytes: &[u8]| {
    let local = MediaAddress { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 20_000 };
    let mut answering = Session::new(1);
    if answering.receive_offer(bytes, &all()).is_ok() {
        let answer = answering.answer(local, &all(), Direction::SendRecv);
        let answer = answer.expect("an offer taken can be answered");
        assert!(sdp_is_sound(&answer), "our answers are sound");
    }
    let mut offering = Session::new(2);
    let offer = offering.offer(local, &all(), Direction::SendRecv);
    let mut far_end = Session::new(3);
    far_end.receive_offer(&offer, &all()).expect("our offers are sound");
    let _ = offering.receive_answer(bytes);
});

/// What we write names our audio and can be read back line by line.
fn sdp_is_sound(text: &[u8]) -> bool {
    text.starts_with(b"v=0\r\n") && text.windows(8).any(|window| window == b"m=audio ")
}
