//! T.38 in audio's place: how lines of it are read and written, and that audio comes back as it was.

use super::*;

const TERMS: &str = "a=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\na=T38FaxRateManagement:transferredTCF\r\n\
    a=T38FaxMaxBuffer:2000\r\na=T38FaxMaxDatagram:400\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n";
const AUDIO: &str = "m=audio 4000 RTP/AVP 8\r\n";

fn image() -> String {
    format!("m=image 5002 udptl t38\r\n{TERMS}")
}

/// A session in which the far end has offered audio, and was answered.
fn talking() -> Session {
    let mut session = Session::new(1);
    session.receive_offer(&sdp(AUDIO), &g711()).unwrap();
    session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap();
    session
}

fn media(description: &[u8]) -> String {
    let text = text(description.to_vec());
    text.split_once("t=0 0\r\n").unwrap().1.to_owned()
}

/// Lines of media, as far as their first format.
fn lines(description: &[u8]) -> Vec<String> {
    media(description).lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect()
}

/// Stores a session and takes it up again.
fn reborn(session: &Session) -> Session {
    let again: Session = serde_json::from_str(&serde_json::to_string(session).unwrap()).unwrap();
    assert_eq!(again, *session);
    again
}

#[test]
fn offers_are_read_as_far_ends_write_them() {
    for (offer, index) in [
        (image(), Some(0)),
        (format!("m=audio 0 RTP/AVP 8\r\n{}", image()), Some(1)),
        (format!("m=image 0 udptl t38\r\n{}", image()), Some(1)),
        (image().replace("udptl t38", "UDPTL T38"), Some(0)),
        (image().replace("udptl", "tcp"), None),
        (image().replace("udptl t38", "RTP/AVP 98"), None),
        (image().replace("udptl t38", "udptl other"), None),
        (image().replace("5002", "0"), None),
        (image().replace(" t38\r\n", " t38\r\nc=IN IP4 host.example.com\r\n"), None),
        (AUDIO.to_owned(), None),
    ] {
        let mut session = talking();
        let read = session.receive_fax(&sdp(&offer));
        assert_eq!(read.is_ok(), index.is_some(), "{offer}");
        let (Ok(fax), Some(index)) = (read, index) else {
            assert!(session.offered_fax().is_none() && session.fax().is_none());
            continue;
        };
        assert_eq!(fax.remote.to_string(), "203.0.113.9:5002");
        let kept: String = fax.terms.iter().map(|term| format!("a={term}\r\n")).collect();
        assert_eq!(kept, TERMS, "{offer}");
        let said = ["T38FaxVersion:1".to_owned(), "T38FaxTranscodingMMR".to_owned()];
        let answer = session.answer_fax(local(20_000), &said, Direction::SendRecv).unwrap();
        let ours = "m=image 20000 udptl t38\r\na=T38FaxVersion:1\r\na=T38FaxTranscodingMMR\r\n";
        assert!(media(&answer).ends_with(ours), "{}", media(&answer));
        assert_eq!(lines(&answer).len(), lines(&sdp(&offer)).len());
        assert_eq!(lines(&answer)[index], "m=image 20000 udptl t38");
    }
}

#[test]
fn of_all_attributes_those_of_t38_are_kept_and_not_without_end() {
    let long = format!("a=T38VendorInfo:{}\r\n", "x".repeat(200));
    let many = "a=T38VendorInfo:1 2 3\r\n".repeat(40);
    let offer =
        format!("m=image 5002 udptl t38\r\na=sendonly\r\na=rtcp:1\r\na=t38maxbitrate:9600\r\n{long}{many}");
    let fax = talking().receive_fax(&sdp(&offer)).unwrap();
    assert_eq!((fax.terms[0].as_str(), fax.terms[1].as_str()), ("t38maxbitrate:9600", "T38VendorInfo:1 2 3"));
    assert_eq!((fax.terms.len(), fax.direction), (32, Direction::RecvOnly));
}

#[test]
fn two_sessions_agree_on_it_and_on_audio_again() {
    let (mut here, mut there) = (Session::new(1), talking());
    here.offer(local(20_000), &all(), Direction::SendRecv);
    here.receive_answer(&sdp("m=audio 4000 RTP/AVP 8\r\n")).unwrap();
    let before = here.agreed().cloned();
    let terms: Vec<String> = vec!["T38FaxVersion:0".into(), "T38FaxUdpEC:t38UDPFEC".into()];

    let offer = here.offer_fax(local(20_000), &terms, Direction::SendRecv);
    assert!(here.awaits_fax() && here.awaits_answer());
    let mut here = reborn(&here);
    assert_eq!(there.receive_offer(&offer, &g711()), Err(Error::NoCommonAudio));
    assert_eq!(there.receive_fax(&offer).unwrap().terms, terms);
    let mut there = reborn(&there);
    let answer = there.answer_fax(local(30_000), &terms[..1], Direction::SendRecv).unwrap();
    let agreed = here.receive_fax_answer(&answer).unwrap();
    assert_eq!((agreed.remote.port(), agreed.terms.as_slice()), (30_000, &terms[..1]));
    assert_eq!((here.fax(), here.said_of_fax()), (Some(&agreed), Some(terms.as_slice())));
    assert_eq!(here.agreed(), before.as_ref(), "what is known of audio stays known");
    let mut here = reborn(&here);

    let offer = here.offer(local(20_000), &all(), Direction::SendRecv);
    assert_eq!(lines(&offer), ["m=audio 20000 RTP/AVP 8 0 101"], "in the same line");
    there.receive_offer(&offer, &g711()).unwrap();
    assert!(there.offer_differs());
    let answer = there.answer(local(30_000), &g711(), Direction::SendRecv).unwrap();
    here.receive_answer(&answer).unwrap();
    assert!(here.fax().is_none() && there.fax().is_none());
    assert_eq!(here.agreed().unwrap().codecs[0].name, "PCMA");
}

#[test]
fn lines_keep_their_places() {
    let mut session = talking();
    session.receive_fax(&sdp(&format!("m=audio 0 RTP/AVP 8\r\n{}", image()))).unwrap();
    let terms = ["T38FaxVersion:0".to_owned()];
    let answer = session.answer_fax(local(20_000), &terms, Direction::SendRecv).unwrap();
    assert_eq!(lines(&answer), ["m=audio 0 RTP/AVP 8", "m=image 20000 udptl t38"]);
    let audio = session.offer(local(20_000), &g711(), Direction::SendRecv);
    assert_eq!(lines(&audio), ["m=audio 20000 RTP/AVP 8 0 101", "m=image 0 udptl t38"]);
    session.receive_answer(&sdp("m=audio 4000 RTP/AVP 8\r\nm=image 0 udptl t38\r\n")).unwrap();
    let fax = session.offer_fax(local(20_000), &terms, Direction::SendRecv);
    assert_eq!(lines(&fax), ["m=audio 0 RTP/AVP 8", "m=image 20000 udptl t38"], "the line that it had");
}

#[test]
fn an_answer_without_it_leaves_audio_as_it_was() {
    for answer in ["m=image 0 udptl t38\r\n", "m=audio 4000 RTP/AVP 8\r\n", "m=image 5002 tcp t38\r\n", ""] {
        let mut session = talking();
        session.offer_fax(local(20_000), &[], Direction::SendRecv);
        assert_eq!(session.receive_fax_answer(&sdp(answer)), Err(Error::NoCommonFax), "{answer}");
        session.withdraw();
        assert!(session.fax().is_none() && !session.awaits_answer());
        assert_eq!(session.agreed().unwrap().remote.port(), 4000);
    }
}

#[test]
fn the_same_offer_again_says_nothing_new_and_a_hold_does() {
    let mut session = talking();
    session.receive_fax(&sdp(&image())).unwrap();
    assert!(session.offer_differs());
    session.answer_fax(local(20_000), &[], Direction::SendRecv).unwrap();
    session.receive_fax(&sdp(&image())).unwrap();
    assert!(!session.offer_differs());
    session.receive_fax(&sdp(&(image() + "a=sendonly\r\n"))).unwrap();
    assert!(session.offer_differs());
    let answer = session.answer_fax(local(20_000), &[], Direction::SendRecv).unwrap();
    assert!(media(&answer).ends_with("a=recvonly\r\n"));
    assert_eq!(session.fax().unwrap().direction, Direction::RecvOnly);
}

#[test]
fn what_must_be_srtp_takes_no_fax_and_nothing_is_a_fax_from_the_beginning() {
    let mut fresh = Session::new(1);
    assert_eq!(fresh.receive_fax(&sdp(&image())), Err(Error::NoCommonFax));
    assert_eq!(fresh.answer_fax(local(1), &[], Direction::SendRecv), Err(Error::NoOffer));
    assert_eq!(fresh.receive_fax_answer(&sdp(&image())), Err(Error::NoOffer));
    let secret = talking().secured(Security::Require, None);
    assert!(!secret.takes_fax() && talking().takes_fax());
    assert_eq!(Error::NoCommonFax.status(), 488);
}

/// What gateways say of sound that is no speech: silence suppression (RFC 3108), V.152 and the like.
#[test]
fn hints_of_fax_and_modem_in_audio_do_no_harm() {
    let hints = "m=audio 4000 RTP/AVP 0 8 98\r\na=rtpmap:98 PCMU/8000\r\na=gpmd:98 vbd=yes\r\na=silenceSupp:off - - - -\r\n\
        a=ecan:fb on -\r\na=fax\r\na=modem\r\na=X-fax\r\n";
    for codecs in [g711().to_vec(), all()] {
        let mut session = talking();
        let audio = session.receive_offer(&sdp(hints), &codecs).unwrap();
        assert_eq!((audio.codecs.len(), audio.noise), (2, None));
        let answer = session.answer(local(20_000), &codecs, Direction::SendRecv).unwrap();
        let first = if codecs.len() == 2 { "0 8" } else { "8 0" };
        assert_eq!(lines(&answer), [format!("m=audio 20000 RTP/AVP {first}")], "no noise, no digits");
    }
}

#[test]
fn an_offer_of_g711_alone_cuts_down_what_was_agreed_on() {
    let mut session = Session::new(1);
    session.offer(local(20_000), &all(), Direction::SendRecv);
    session.receive_answer(&sdp("m=audio 4000 RTP/AVP 9 13 8\r\n")).unwrap();
    let offer = session.offer(local(20_000), &g711(), Direction::SendRecv);
    assert_eq!(lines(&offer), ["m=audio 20000 RTP/AVP 8 0 101"]);
    let audio = session.receive_answer(&sdp("m=audio 4000 RTP/AVP 8\r\n")).unwrap();
    assert_eq!((audio.codecs.len(), audio.codecs[0].name.as_str(), audio.noise), (1, "PCMA", None));
}
