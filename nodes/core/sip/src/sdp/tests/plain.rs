//! A session in which nothing but G.711 is taken: its text and its stored form are what earlier builds make of it.

use super::far_ends::{line, words};
use super::*;

/// An offer with much that is not taken.
const RICH: &str = "m=audio 4000 RTP/AVP 111 9 0 8 13 110 101\r\na=rtpmap:111 opus/48000/2\r\n\
    a=fmtp:111 useinbandfec=1\r\na=rtpmap:0 PCMU/8000\r\na=fmtp:0 vad=no\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:101 telephone-event/8000\r\n";

#[test]
fn an_offer_is_word_for_word_as_it_was() {
    let offer = text(Session::new(1).offer(local(20_000), &g711(), Direction::SendRecv));
    let (_, media) = offer.split_once("t=0 0\r\n").unwrap();
    assert_eq!(
        media,
        "m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

#[test]
fn an_offer_of_everything_is_small_enough_for_a_datagram() {
    let offer = Session::new(1 << 31).offer(local(20_000), &all(), Direction::SendRecv);
    assert!(offer.len() < 600, "{} bytes of the 1300 that an INVITE may have", offer.len());
}

/// Stores a session and takes it up again.
fn stored(session: &Session) -> String {
    let text = serde_json::to_string(session).unwrap();
    assert_eq!(serde_json::from_str::<Session>(&text).unwrap(), *session);
    text
}

#[test]
fn nothing_new_is_stored_of_it() {
    let (mut here, mut there) = (Session::new(1), Session::new(2));
    let mut kept = Vec::new();
    let offer = here.offer(local(20_000), &g711(), Direction::SendRecv);
    kept.push(stored(&here));
    there.receive_offer(&offer, &g711()).unwrap();
    let answer = there.answer(local(30_000), &g711(), Direction::SendRecv).unwrap();
    here.receive_answer(&answer).unwrap();
    kept.extend([stored(&here), stored(&there)]);
    there.receive_offer(&sdp(RICH), &g711()).unwrap();
    kept.push(stored(&there));
    there.answer(local(30_000), &g711(), Direction::SendRecv).unwrap();
    there.offer(local(30_000), &g711(), Direction::SendOnly);
    kept.push(stored(&there));
    for word in ["channels", "fmtp", "ours", "events", "noise", "numbers"] {
        assert!(kept.iter().all(|text| !text.contains(&format!("\"{word}\":"))), "{word}: {kept:?}");
    }
}

#[test]
fn numbers_that_a_far_end_uses_for_something_else_are_said_as_they_were() {
    for (media, heard, answered, offered) in [
        ("8\r\na=rtpmap:8 PCMU/8000", "PCMU=8", "8", "8 8 101"),
        ("9 18\r\na=rtpmap:9 PCMU/8000\r\na=rtpmap:18 PCMA/8000", "PCMU=9 PCMA=18", "9 18", "9 18 101"),
        ("8 0\r\na=rtpmap:0 opus/48000/2", "PCMA=8 PCMU=0", "8 0", "8 0 101"),
        ("8\r\na=rtpmap:8 opus/48000/2\r\na=rtpmap:8 PCMU/8000", "PCMU=8", "8", "8 8 101"),
        ("0 8\r\na=rtpmap:8 telephone-event/8000", "PCMU=0 event8=8", "0 8", "0 8 8"),
        ("101\r\na=rtpmap:101 PCMA/8000", "PCMA=101", "101", "101 0 101"),
    ] {
        let mut session = Session::new(1);
        let audio =
            session.receive_offer(&sdp(&format!("m=audio 4000 RTP/AVP {media}\r\n")), &g711()).unwrap();
        assert_eq!(words(&audio), heard, "{media}");
        let answer = text(session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap());
        assert_eq!(line(&answer), answered, "{media}");
        let again = text(session.offer(local(20_000), &g711(), Direction::SendOnly));
        assert_eq!(line(&again), offered, "{media}");
        assert!(!stored(&session).contains("\"numbers\""), "{media}");
    }
}

#[test]
fn a_number_said_twice_is_mapped_twice() {
    let mut session = Session::new(1);
    session.receive_offer(&sdp("m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMU/8000\r\n"), &g711()).unwrap();
    session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap();
    let offer = text(session.offer(local(20_000), &g711(), Direction::SendRecv));
    assert!(offer.contains("RTP/AVP 8 8 101\r\na=rtpmap:8 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"), "{offer}");
}

#[test]
fn a_session_of_everything_is_stored_whole() {
    let mut session = Session::new(1);
    session.receive_offer(&sdp(RICH), &all()).unwrap();
    stored(&session);
    session.answer(local(30_000), &all(), Direction::SendRecv).unwrap();
    session.offer(local(30_000), &all(), Direction::SendRecv);
    let text = stored(&session);
    assert!(text.contains("\"fmtp\":\"useinbandfec=1\"") && text.contains("\"noise\":13"), "{text}");
}
