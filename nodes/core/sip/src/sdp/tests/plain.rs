//! A session in which nothing but G.711 is taken: its text and its stored form are what earlier builds make of it.

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
fn a_session_of_everything_is_stored_whole() {
    let mut session = Session::new(1);
    session.receive_offer(&sdp(RICH), &all()).unwrap();
    stored(&session);
    session.answer(local(30_000), &all(), Direction::SendRecv).unwrap();
    session.offer(local(30_000), &all(), Direction::SendRecv);
    let text = stored(&session);
    assert!(text.contains("\"fmtp\":\"useinbandfec=1\"") && text.contains("\"noise\":13"), "{text}");
}
