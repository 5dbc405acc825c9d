//! Chrome's own descriptions, and Firefox's: what they offer is answered, what they are offered they answer.

use std::sync::Arc;

use super::*;

const PRINT: &str =
    "4A:79:94:16:44:3F:BD:05:41:5A:C7:20:F3:12:54:70:00:73:5D:33:00:2D:2C:80:9B:39:E1:9F:2D:A7:49:87";

/// Audio alone, as Chrome 130 writes it with one candidate gathered.
fn chrome(setup: &str) -> String {
    format!(
        "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\n\
         a=msid-semantic: WMS 4d6b\r\nm=audio 54400 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 192.0.2.7\r\n\
         a=rtcp:9 IN IP4 0.0.0.0\r\na=candidate:1467250027 1 udp 2122260223 192.0.2.7 54400 typ host generation 0 network-id 1\r\n\
         a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=ice-options:trickle\r\na=fingerprint:sha-256 {PRINT}\r\n\
         a=setup:{setup}\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
         a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\na=sendrecv\r\n\
         a=msid:4d6b 5a2c\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n\
         a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\n\
         a=rtpmap:126 telephone-event/8000\r\na=ssrc:1399694169 cname:k5xNJl\r\na=ssrc:1399694169 msid:4d6b 5a2c\r\n"
    )
}

/// Sound and picture, nothing gathered yet, and the fingerprint above all lines.
fn firefox() -> String {
    format!(
        "v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 88 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=sendrecv\r\n\
         a=fingerprint:sha-256 {PRINT}\r\na=group:BUNDLE a0 v1\r\na=ice-options:trickle\r\na=msid-semantic:WMS *\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 109 0 8 101\r\nc=IN IP4 0.0.0.0\r\na=sendrecv\r\na=ice-pwd:5c1d6d0ba5a0d0b1b0a6d0e8fa1b2c3d\r\n\
         a=ice-ufrag:3e1c9a4b\r\na=mid:a0\r\na=rtcp-mux\r\na=rtpmap:109 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000/1\r\na=setup:actpass\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 120\r\nc=IN IP4 0.0.0.0\r\na=mid:v1\r\na=rtcp-mux\r\na=rtpmap:120 VP8/90000\r\n\
         a=setup:actpass\r\n"
    )
}

fn credentials(ufrag: &str) -> Arc<Credentials> {
    Credentials::new(ufrag, "VOkJxbRl1RmTxUk/WvJxBt", vec![7_u8; 32].into()).unwrap().into()
}

fn takes(ufrag: &str) -> Session {
    let mut session = Session::new(1).secured(Security::Accept, None);
    session.introduce(credentials(ufrag));
    session
}

/// The lines that only browsers need, in their order.
fn browsers(text: &str) -> Vec<&str> {
    let names = ["group", "ice", "setup", "mid", "rtcp-mux", "fingerprint", "candidate", "end-of", "crypto"];
    let is_one = |line: &&str| names.iter().any(|name| line.starts_with(&format!("a={name}")));
    text.lines().filter(is_one).collect()
}

fn expected<'a>(setup: &'a str, mid: &'a str, print: &'a str) -> Vec<&'a str> {
    vec![
        mid,
        "a=ice-lite",
        if mid.ends_with(" a0") { "a=mid:a0" } else { "a=mid:0" },
        "a=rtcp-mux",
        "a=ice-ufrag:evtj",
        "a=ice-pwd:VOkJxbRl1RmTxUk/WvJxBt",
        print,
        setup,
        "a=candidate:1 1 udp 2130706431 198.51.100.1 20000 typ host",
        "a=end-of-candidates",
    ]
}

fn print() -> String {
    format!("a=fingerprint:sha-256 07{}", ":07".repeat(31))
}

#[test]
fn what_browsers_offer_is_answered_as_they_understand_it() {
    for (offer, line, bundle) in [
        (chrome("actpass"), "m=audio 20000 UDP/TLS/RTP/SAVPF 111 9 0 8 13 126 110", "a=group:BUNDLE 0"),
        (firefox(), "m=audio 20000 UDP/TLS/RTP/SAVPF 109 0 8 101", "a=group:BUNDLE a0"),
    ] {
        let mut session = takes("evtj");
        let audio = session.receive_offer(offer.as_bytes(), &all()).unwrap();
        assert!(session.is_with_browser() && audio.crypto.is_none());
        assert_eq!(audio.webrtc.unwrap().fingerprint.to_string(), format!("sha-256 {PRINT}"));
        assert_eq!(audio.direction, Direction::SendRecv, "0.0.0.0 is no hold");
        let answer = text(session.answer(local(20_000), &all(), Direction::SendRecv).unwrap());
        let numbers = |line: &str| {
            let mut words: Vec<_> = line.split(' ').map(str::to_owned).collect();
            words[3..].sort();
            words
        };
        let told = answer.lines().find(|line| line.starts_with("m=audio")).unwrap();
        assert_eq!(numbers(told), numbers(line));
        let print = print();
        let mut wanted = expected("a=setup:passive", bundle, &print);
        if bundle.ends_with("a0") {
            assert!(answer.contains("m=video 0 UDP/TLS/RTP/SAVPF 120\r\na=mid:v1"), "{answer}");
            wanted.push("a=mid:v1");
        }
        assert_eq!(browsers(&answer), wanted);
    }
}

#[test]
fn chrome_answers_our_offer_and_a_hold_changes_nothing_of_the_transport() {
    let mut session = takes("evtj");
    let offer = text(session.offer(local(20_000), &all(), Direction::SendRecv));
    assert!(offer.contains("m=audio 20000 UDP/TLS/RTP/SAVPF "), "{offer}");
    let print = print();
    assert_eq!(browsers(&offer), expected("a=setup:actpass", "a=group:BUNDLE 0", &print));
    let audio = session.receive_answer(chrome("active").as_bytes()).unwrap();
    assert!(audio.webrtc.is_some() && session.is_with_browser());

    let held = chrome("actpass").replace("a=sendrecv", "a=sendonly").replace("36 2 IN", "36 3 IN");
    session.receive_offer(held.as_bytes(), &all()).unwrap();
    assert!(session.offer_differs());
    let answer = text(session.answer(local(20_000), &all(), Direction::SendRecv).unwrap());
    assert!(answer.contains("a=recvonly"), "{answer}");
    assert_eq!(browsers(&answer), expected("a=setup:passive", "a=group:BUNDLE 0", &print));
}

#[test]
fn another_media_node_is_told_with_credentials_of_its_own() {
    let mut session = takes("evtj");
    session.offer(local(20_000), &all(), Direction::SendRecv);
    session.receive_answer(chrome("active").as_bytes()).unwrap();
    session.introduce(credentials("next"));
    let offer = text(session.offer(local(30_000), &all(), Direction::SendRecv));
    assert!(offer.contains("a=ice-ufrag:next") && offer.contains(" 30000 typ host"), "{offer}");
    assert!(offer.contains("a=mid:0") && offer.contains("a=setup:actpass"), "{offer}");
}

#[test]
fn what_lacks_something_that_we_need_is_refused() {
    for (without, with) in [
        ("a=ice-ufrag:F7gI\r\n", ""),
        ("a=rtcp-mux\r\n", ""),
        ("sha-256", "sha-1"),
        ("a=setup:actpass", "a=setup:passive"),
    ] {
        let offer = chrome("actpass").replace(without, with);
        let refused = takes("evtj").receive_offer(offer.as_bytes(), &all());
        assert_eq!(refused, Err(Error::NoCommonSecurity), "without {without}");
    }
    let mut off = Session::new(1);
    assert_eq!(off.receive_offer(chrome("actpass").as_bytes(), &all()), Err(Error::NoCommonAudio));
    let mut unready = Session::new(1).secured(Security::Require, None);
    unready.receive_offer(chrome("actpass").as_bytes(), &all()).unwrap();
    let answer = unready.answer(local(20_000), &all(), Direction::SendRecv);
    assert_eq!(answer, Err(Error::NoCommonSecurity), "nobody was introduced");
}

#[test]
fn a_session_stays_what_it_was_agreed_on() {
    let plain = sdp("m=audio 4000 RTP/AVP 8\r\n");
    let mut session = takes("evtj");
    session.offer(local(20_000), &all(), Direction::SendRecv);
    assert_eq!(session.receive_answer(&plain), Err(Error::NoCommonAudio));
    session.receive_answer(chrome("active").as_bytes()).unwrap();
    assert_eq!(session.receive_offer(&plain, &all()), Err(Error::NoCommonAudio));

    let mut session = Session::new(1).secured(Security::Accept, None);
    session.receive_offer(&plain, &all()).unwrap();
    let answer = text(session.answer(local(20_000), &all(), Direction::SendRecv).unwrap());
    assert_eq!(browsers(&answer), [""; 0]);
    assert_eq!(session.receive_offer(chrome("actpass").as_bytes(), &all()), Err(Error::NoCommonAudio));
}

#[test]
fn nothing_of_it_is_stored_of_a_plain_session() {
    let mut session = Session::new(1).secured(Security::Accept, None);
    let named = "m=audio 4000 RTP/AVP 8\r\na=mid:0\r\n";
    session.receive_offer(&sdp(named), &all()).unwrap();
    session.answer(local(20_000), &all(), Direction::SendRecv).unwrap();
    let stored = serde_json::to_string(&session).unwrap();
    assert!(["credentials", "webrtc", "mid"].iter().all(|word| !stored.contains(word)), "{stored}");
}
