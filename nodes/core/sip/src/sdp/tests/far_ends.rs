//! What phones, gateways and browsers really offer, and what we make of it.

use super::*;

const YEALINK: &str = "m=audio 11784 RTP/AVP 106 9 0 8 18 101\r\n\
    a=rtpmap:106 opus/48000/2\r\n\
    a=fmtp:106 maxplaybackrate=48000;sprop-maxcapturerate=48000;maxaveragebitrate=32000;stereo=0\r\n\
    a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

const CISCO: &str = "m=audio 17389 RTP/AVP 18 0 8 101 19\r\nc=IN IP4 203.0.113.9\r\n\
    a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=yes\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:19 CN/8000\r\na=ptime:20\r\n";

const ASTERISK: &str = "m=audio 14620 RTP/AVP 107 9 8 0 101 102\r\n\
    a=rtpmap:107 opus/48000/2\r\na=fmtp:107 useinbandfec=1\r\n\
    a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/48000\r\na=fmtp:101 0-16\r\n\
    a=rtpmap:102 telephone-event/8000\r\na=fmtp:102 0-16\r\na=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\n";

const BARESIP: &str = "m=audio 20048 RTP/AVP 96 9 0 8 101\r\nb=AS:125\r\n\
    a=rtpmap:96 opus/48000/2\r\na=fmtp:96 stereo=0;sprop-stereo=0\r\n\
    a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtcp:20049\r\na=sendrecv\r\na=label:1\r\na=ptime:20\r\n";

/// As a gateway passes it on: the browser itself has it behind keys.
const CHROME: &str = "m=audio 54400 RTP/AVP 111 63 9 0 8 13 110 126\r\n\
    a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
    a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\n\
    a=rtpmap:126 telephone-event/8000\r\n";

/// An old gateway that leaves out what RFC 3551 fixes, and says nothing of annex B.
const BARE: &str = "m=audio 4000 RTP/AVP 18 9 8 13\r\n";

/// All encodings of an audio under their numbers; the expected one behind a stroke where it differs.
pub(super) fn words(audio: &Audio) -> String {
    let word = |name: &str, sent: u8, expected: u8| match sent == expected {
        true => format!("{name}={sent}"),
        false => format!("{name}={sent}/{expected}"),
    };
    let codecs = audio.codecs.iter().map(|codec| word(&codec.name, codec.payload_type, codec.expected()));
    let events = audio
        .all_events()
        .map(|event| word(&format!("event{}", event.clock / 1000), event.payload_type, event.expected()));
    let noise = audio.noise.map(|noise| format!("CN={noise}"));
    codecs.chain(noise).chain(events).collect::<Vec<_>>().join(" ")
}

/// The audio line of a description.
pub(super) fn line(text: &str) -> &str {
    let line = text.lines().find_map(|line| line.strip_prefix("m=audio "));
    line.and_then(|line| line.split_once(" RTP/AVP ")).map_or("", |(_, formats)| formats)
}

#[test]
fn everything_known_is_taken_under_the_far_ends_numbers() {
    for (media, heard, answered) in [
        (YEALINK, "opus=106 G722=9 PCMU=0 PCMA=8 G729=18 event8=101", "106 9 0 8 18 101"),
        (CISCO, "G729=18 PCMU=0 PCMA=8 CN=19 event8=101", "18 0 8 19 101"),
        (ASTERISK, "opus=107 G722=9 PCMA=8 PCMU=0 event8=102 event48=101", "107 9 8 0 102 101"),
        (BARESIP, "opus=96 G722=9 PCMU=0 PCMA=8 event8=101", "96 9 0 8 101"),
        (CHROME, "opus=111 G722=9 PCMU=0 PCMA=8 CN=13 event8=126 event48=110", "111 9 0 8 13 126 110"),
        (BARE, "G729=18 G722=9 PCMA=8 CN=13", "18 9 8 13"),
    ] {
        let mut session = Session::new(1);
        let audio = session.receive_offer(&sdp(media), &all()).unwrap();
        assert_eq!(words(&audio), heard, "{media}");
        let answer = text(session.answer(local(20_000), &all(), Direction::SendRecv).unwrap());
        assert_eq!(line(&answer), answered, "{media}");
        assert_eq!(session.agreed(), Some(&audio), "{media}");
    }
}

#[test]
fn what_is_not_in_the_list_is_not_there() {
    for (media, heard) in [
        (YEALINK, "PCMU=0 PCMA=8 event8=101"),
        (CISCO, "PCMU=0 PCMA=8 event8=101"),
        (ASTERISK, "PCMA=8 PCMU=0 event8=102"),
        (BARESIP, "PCMU=0 PCMA=8 event8=101"),
        (CHROME, "PCMU=0 PCMA=8 event8=126"),
        (BARE, "PCMA=8"),
    ] {
        let audio = Session::new(1).receive_offer(&sdp(media), &g711()).unwrap();
        assert_eq!(words(&audio), heard, "{media}");
    }
    let opus: Vec<Codec> = all().into_iter().filter(|codec| codec.name == "opus").collect();
    let audio = Session::new(1).receive_offer(&sdp(ASTERISK), &opus).unwrap();
    assert_eq!(words(&audio), "opus=107 event8=102 event48=101");
    let encrypted = CHROME.replace("RTP/AVP", "UDP/TLS/RTP/SAVPF");
    assert_eq!(Session::new(1).receive_offer(&sdp(&encrypted), &all()), Err(Error::NoCommonAudio));
}

#[test]
fn an_answer_may_have_less_than_was_taken() {
    let mut session = Session::new(1);
    session.receive_offer(&sdp(CHROME), &all()).unwrap();
    let nothing = session.answer(local(20_000), &[], Direction::SendRecv);
    assert_eq!(nothing, Err(Error::NoCommonAudio));
    let answer = text(session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap());
    assert_eq!(line(&answer), "0 8 126");
    session.receive_offer(&sdp(CHROME), &all()).unwrap();
    assert!(!session.offer_differs(), "the far end said nothing new");
}

#[test]
fn annex_b_is_answered_with_no_whatever_was_offered() {
    let offered = ["a=fmtp:18 annexb=yes\r\n", "a=fmtp:18 annexb=no\r\n", ""];
    for (fmtp, kept) in offered.into_iter().zip(["annexb=yes", "annexb=no", ""]) {
        let mut session = Session::new(1);
        let media = format!("m=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n{fmtp}");
        let audio = session.receive_offer(&sdp(&media), &all()).unwrap();
        assert_eq!(audio.codecs[0].fmtp, kept);
        let answer = text(session.answer(local(20_000), &all(), Direction::SendRecv).unwrap());
        assert!(answer.contains("a=fmtp:18 annexb=no\r\n"), "{answer}");
    }
}

#[test]
fn opus_is_answered_with_what_we_hear_and_say_ourselves() {
    for (media, theirs, number) in [
        (CHROME, "minptime=10;useinbandfec=1", 111),
        (BARESIP, "stereo=0;sprop-stereo=0", 96),
        (ASTERISK, "useinbandfec=1", 107),
    ] {
        let mut session = Session::new(1);
        let audio = session.receive_offer(&sdp(media), &all()).unwrap();
        let opus = &audio.codecs[0];
        assert_eq!((opus.clock, opus.channels, opus.fmtp.as_str()), (48_000, 2, theirs));
        let answer = text(session.answer(local(20_000), &all(), Direction::SendRecv).unwrap());
        let ours = "useinbandfec=1;maxplaybackrate=16000;sprop-maxcapturerate=16000";
        for said in [format!("rtpmap:{number} opus/48000/2"), format!("fmtp:{number} {ours}")] {
            assert!(answer.contains(&format!("a={said}\r\n")), "{answer}");
        }
    }
}

#[test]
fn opus_has_two_channels_and_digits_have_a_clock_that_is_spoken() {
    for (media, heard) in [
        ("m=audio 4000 RTP/AVP 96 8\r\na=rtpmap:96 opus/48000/1\r\n", "PCMA=8"),
        ("m=audio 4000 RTP/AVP 96 8\r\na=rtpmap:96 opus/16000/2\r\n", "PCMA=8"),
        ("m=audio 4000 RTP/AVP 96 8\r\na=rtpmap:96 OPUS/48000/2\r\n", "opus=96 PCMA=8"),
        ("m=audio 4000 RTP/AVP 9\r\na=rtpmap:9 G722/8000/1\r\n", "G722=9"),
        ("m=audio 4000 RTP/AVP 8 97\r\na=rtpmap:97 telephone-event/48000\r\n", "PCMA=8"),
        ("m=audio 4000 RTP/AVP 8 97\r\na=rtpmap:97 telephone-event/16000\r\n", "PCMA=8"),
        ("m=audio 4000 RTP/AVP 8 97 98\r\na=rtpmap:97 CN/16000\r\na=rtpmap:98 CN/8000\r\n", "PCMA=8 CN=98"),
    ] {
        let audio = Session::new(1).receive_offer(&sdp(media), &all()).unwrap();
        assert_eq!(words(&audio), heard, "{media}");
    }
}

#[test]
fn what_nobody_can_mean_is_not_kept() {
    let endless = format!("a=fmtp:111 {}\r\n", "x".repeat(100_000));
    let media =
        format!("m=audio 4000 RTP/AVP 111 8\r\na=rtpmap:111 opus/48000/2\r\n{endless}a=fmtp:8 vad=no\r\n");
    let audio = Session::new(1).receive_offer(&sdp(&media), &all()).unwrap();
    assert_eq!(words(&audio), "opus=111 PCMA=8");
    assert!(audio.codecs.iter().all(|codec| codec.fmtp.is_empty()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_sessions_agree_on_what_both_take_or_both_refuse(ours in some(), theirs in some()) {
        let (mut here, mut there) = (Session::new(1), Session::new(2));
        let is_common = |codec: &&Codec| codec.name != "CN" && theirs.iter().any(|other| other.name == codec.name);
        let common: Vec<&str> = ours.iter().filter(is_common).map(|codec| codec.name.as_str()).collect();
        let offer = here.offer(local(20_000), &ours, Direction::SendRecv);
        if common.is_empty() {
            prop_assert_eq!(there.receive_offer(&offer, &theirs), Err(Error::NoCommonAudio));
            return Ok(());
        }
        there.receive_offer(&offer, &theirs).unwrap();
        let answer = there.answer(local(30_000), &theirs, Direction::SendRecv).unwrap();
        let here = here.receive_answer(&answer).unwrap();
        let there = there.agreed().unwrap();
        prop_assert_eq!(here.codecs.iter().map(|codec| codec.name.as_str()).collect::<Vec<_>>(), common);
        prop_assert_eq!(words(&here), words(there));
        let noise = [&ours, &theirs].iter().all(|list| list.iter().any(|codec| codec.name == "CN"));
        prop_assert_eq!(here.noise, noise.then_some(13));
        prop_assert_eq!(here.event(8_000).map(|event| event.payload_type), Some(101));
        let wide = here.codecs.iter().any(|codec| codec.name == "opus");
        prop_assert_eq!(here.event(48_000).map(|event| event.payload_type), wide.then_some(110));
    }
}

/// Any codecs in any order.
pub(super) fn some() -> impl Strategy<Value = Vec<Codec>> {
    prop::sample::subsequence(all(), 0..=all().len()).prop_shuffle()
}
