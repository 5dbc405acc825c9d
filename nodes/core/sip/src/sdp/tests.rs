//! Offer and answer between two sessions, and against descriptions as far ends write them.

mod browsers;
mod far_ends;
mod fax;
mod numbering;
mod plain;
mod secret;

use proptest::prelude::*;

use super::*;

fn local(port: u16) -> MediaAddress {
    MediaAddress { ip: "198.51.100.1".parse().unwrap(), port }
}

fn sdp(media: &str) -> Vec<u8> {
    format!("v=0\r\no=- 1 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\n{media}")
        .into_bytes()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn two_sessions_agree() {
    let (mut here, mut there) = (Session::new(1), Session::new(2));
    let offer = here.offer(local(20_000), &g711(), Direction::SendRecv);
    let heard = there.receive_offer(&offer, &g711()).unwrap();
    assert_eq!((heard.remote.port(), heard.telephone_event, heard.ptime_ms), (20_000, Some(101), 20));
    let answer = there.answer(local(30_000), &g711(), Direction::SendRecv).unwrap();
    let agreed = here.receive_answer(&answer).unwrap();
    assert_eq!(agreed.remote.port(), 30_000);
    let names: Vec<_> = agreed.codecs.iter().map(|codec| codec.name.as_str()).collect();
    assert_eq!(names, ["PCMA", "PCMU"]);
    assert!(!here.awaits_answer() && there.offered().is_none());
}

#[test]
fn a_line_of_thousands_of_formats_is_read_once_and_not_to_its_end() {
    let words = |words: &[u32]| words.iter().map(|word| format!(" {word}")).collect::<String>();
    let others: Vec<u32> = (9..9 + 32).collect();
    let repeated = [18; 20_000];
    for (formats, understood) in [
        ([&others[1..], &[8]].concat(), true),
        ([&others[..], &[8]].concat(), false),
        ([&repeated[..], &[8]].concat(), true),
        ([&[200, 300, 4_000_000][..], &[8]].concat(), true),
    ] {
        let maps = "a=rtpmap:97 opus/48000/2\r\n".repeat(20_000);
        let media = format!("m=audio 4000 RTP/AVP{}\r\n{maps}", words(&formats));
        let read = Session::new(1).receive_offer(&sdp(&media), &g711());
        assert_eq!(read.is_ok(), understood, "{} formats", formats.len());
    }
}

#[test]
fn the_first_rtpmap_of_a_payload_type_counts() {
    let media = "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/8000\r\na=rtpmap:96 PCMA/8000\r\n";
    let audio = Session::new(1).receive_offer(&sdp(media), &g711()).unwrap();
    assert_eq!((audio.codecs.len(), audio.codecs[0].name.as_str()), (1, "PCMU"));
}

#[test]
fn offers_are_read_as_far_ends_write_them() {
    for (media, read) in [
        ("m=audio 4000 RTP/AVP 0 8\r\n", Ok(("PCMU PCMA", None))),
        ("m=audio 4000 RTP/AVP 18 8 96\r\na=rtpmap:96 telephone-event/8000\r\n", Ok(("PCMA", Some(96)))),
        ("m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 pcma/8000/1\r\n", Ok(("PCMA", None))),
        ("m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/16000\r\n", Err(488)),
        ("m=audio 4000 RTP/AVP 8\r\na=rtpmap:8\r\na=fmtp\r\n", Ok(("PCMA", None))),
        ("m=audio 4000 RTP/AVP 9 18\r\n", Err(488)),
        ("m=audio 0 RTP/AVP 8\r\n", Err(488)),
        ("m=audio 4000 RTP/SAVP 8\r\n", Err(488)),
        ("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 239.1.1.1/127\r\n", Err(488)),
        ("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 host.example.com\r\n", Err(488)),
        ("m=audio 70000 RTP/AVP 8\r\n", Err(400)),
        ("m=audio\r\n", Err(400)),
        ("", Err(488)),
    ] {
        let result = Session::new(1).receive_offer(&sdp(media), &g711());
        let result = result.map_err(|error| error.status()).map(|audio| {
            let names: Vec<_> = audio.codecs.iter().map(|codec| codec.name.clone()).collect();
            (names.join(" "), audio.telephone_event)
        });
        assert_eq!(result, read.map(|(names, event)| (names.to_owned(), event)), "{media}");
    }
}

#[test]
fn both_address_families_and_rtcp_are_understood() {
    let v6 = b"v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\na=rtcp:4009\r\n";
    let mut session = Session::new(1);
    let audio = session.receive_offer(v6, &g711()).unwrap();
    assert_eq!(audio.remote.to_string(), "[2001:db8::1]:4000");
    assert_eq!(audio.rtcp.unwrap().to_string(), "[2001:db8::1]:4009");
    let ours = MediaAddress { ip: "2001:db8::2".parse().unwrap(), port: 5000 };
    let answer = text(session.answer(ours, &g711(), Direction::SendRecv).unwrap());
    assert!(answer.contains("c=IN IP6 2001:db8::2\r\n"), "{answer}");
}

#[test]
fn hold_is_understood_in_all_its_forms() {
    for (attribute, address, wanted, answered) in [
        ("a=sendonly\r\n", "203.0.113.9", Direction::SendRecv, Direction::RecvOnly),
        ("a=inactive\r\n", "203.0.113.9", Direction::SendRecv, Direction::Inactive),
        ("a=recvonly\r\n", "203.0.113.9", Direction::SendRecv, Direction::SendOnly),
        ("", "0.0.0.0", Direction::SendRecv, Direction::RecvOnly),
        ("a=sendonly\r\n", "203.0.113.9", Direction::SendOnly, Direction::Inactive),
        ("", "203.0.113.9", Direction::RecvOnly, Direction::RecvOnly),
    ] {
        let mut session = Session::new(1);
        let offer = sdp(&format!("m=audio 4000 RTP/AVP 8\r\nc=IN IP4 {address}\r\n{attribute}"));
        session.receive_offer(&offer, &g711()).unwrap();
        let answer = text(session.answer(local(20_000), &g711(), wanted).unwrap());
        assert!(answer.contains(&format!("a={}\r\n", answered.attribute())), "{answer}");
        assert_eq!(session.agreed().unwrap().direction, answered);
    }
}

#[test]
fn the_version_rises_only_when_the_text_changes() {
    let mut session = Session::new(77);
    let version = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().nth(1).unwrap().to_owned();
    let first = session.offer(local(20_000), &g711(), Direction::SendRecv);
    let again = session.offer(local(20_000), &g711(), Direction::SendRecv);
    let held = session.offer(local(20_000), &g711(), Direction::SendOnly);
    session.withdraw();
    let moved = session.offer(
        MediaAddress { ip: "198.51.100.7".parse().unwrap(), port: 2 },
        &g711(),
        Direction::SendOnly,
    );
    assert_eq!(first, again);
    assert_eq!(version(&first), "o=- 77 1 IN IP4 198.51.100.1");
    assert_eq!(version(&held), "o=- 77 2 IN IP4 198.51.100.1");
    assert_eq!(version(&moved), "o=- 77 3 IN IP4 198.51.100.1", "the name of the session stays");
}

#[test]
fn other_lines_are_refused_and_stay_in_place() {
    let mut session = Session::new(1);
    let offer = sdp("m=video 5000 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 8\r\nm=image 5002 udptl t38\r\n");
    session.receive_offer(&offer, &g711()).unwrap();
    let lines = |text: &str| {
        text.lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect::<Vec<_>>()
    };
    let answer = text(session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap());
    assert_eq!(lines(&answer), ["m=video 0 RTP/AVP 96", "m=audio 20000 RTP/AVP 8", "m=image 0 udptl t38"]);
    let ours = text(session.offer(local(20_000), &g711(), Direction::SendOnly));
    assert_eq!(lines(&ours)[0], "m=video 0 RTP/AVP 96");
    assert_eq!(lines(&ours)[1], "m=audio 20000 RTP/AVP 8 0 101");
    let answer =
        sdp("m=video 0 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 8\r\na=recvonly\r\nm=image 0 udptl t38\r\n");
    assert_eq!(session.receive_answer(&answer).unwrap().direction, Direction::SendOnly);
}

#[test]
fn payload_numbers_stay_for_the_whole_session() {
    let mut session = Session::new(1);
    let media = "m=audio 4000 RTP/AVP 98 96\r\na=rtpmap:98 PCMU/8000\r\na=rtpmap:96 telephone-event/8000\r\n";
    session.receive_offer(&sdp(media), &g711()).unwrap();
    session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap();
    let ours = text(session.offer(local(20_000), &g711(), Direction::SendRecv));
    assert!(ours.contains("m=audio 20000 RTP/AVP 98 8 96\r\n"), "{ours}");
}

#[test]
fn steps_out_of_order_are_errors() {
    let mut session = Session::new(1);
    assert_eq!(session.answer(local(1), &g711(), Direction::SendRecv), Err(Error::NoOffer));
    assert_eq!(session.receive_answer(&sdp("m=audio 4000 RTP/AVP 8\r\n")), Err(Error::NoOffer));
    session.offer(local(20_000), &g711(), Direction::SendRecv);
    assert_eq!(session.receive_answer(&sdp("m=audio 0 RTP/AVP 8\r\n")), Err(Error::NoCommonAudio));
    assert!(session.awaits_answer(), "a bad answer leaves the offer outstanding");
}

#[test]
fn only_a_real_difference_asks_for_a_decision() {
    let mut session = Session::new(1);
    let offer = sdp("m=audio 4000 RTP/AVP 8\r\n");
    session.receive_offer(&offer, &g711()).unwrap();
    assert!(session.offer_differs());
    session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap();
    let newer = String::from_utf8(offer).unwrap().replace("o=- 1 1", "o=- 1 2");
    session.receive_offer(newer.as_bytes(), &g711()).unwrap();
    assert!(!session.offer_differs());
    session.receive_offer(newer.replace("4000", "4002").as_bytes(), &g711()).unwrap();
    assert!(session.offer_differs());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbled_descriptions_never_panic(cut in 0usize..600, byte: u8, noise in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut bytes = Session::new(5).offer(local(20_000), &all(), Direction::SendRecv);
        let index = cut % bytes.len();
        bytes[index] = byte;
        bytes.extend(noise);
        let mut session = Session::new(6);
        if session.receive_offer(&bytes, &all()).is_ok() {
            session.answer(local(1), &all(), Direction::SendRecv).unwrap();
        }
        session.offer(local(2), &all(), Direction::SendRecv);
        let _ = session.receive_answer(&bytes);
    }
}
