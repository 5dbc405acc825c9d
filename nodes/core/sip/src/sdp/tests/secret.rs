//! SRTP by keys in descriptions: who offers what, who answers what, and what stays.

use super::*;

const KEY: &str = "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";
const OTHER: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

/// Our key, all of one byte.
fn ours(suite: Suite, byte: u8) -> Ours {
    Ours::new(suite, vec![byte; suite.key_length()].into()).unwrap()
}

fn session(id: u64, security: Security) -> Session {
    Session::new(id).secured(security, None)
}

/// What is due is brought.
fn equip(session: &mut Session, byte: u8) {
    if let Some(suite) = session.key_due() {
        session.equip(ours(suite, byte));
    }
}

fn offer(profile: &str, lines: &str) -> Vec<u8> {
    sdp(&format!("m=audio 4000 {profile} 8\r\n{lines}"))
}

fn line(tag: u32, suite: Suite, key: &str) -> String {
    format!("a=crypto:{tag} {} inline:{key}\r\n", suite.name())
}

/// The profile of a description, and its keys' lines.
fn said(text: &str) -> (String, Vec<String>) {
    let profile = text.lines().find_map(|line| line.strip_prefix("m=audio ")?.split(' ').nth(1));
    let lines = text.lines().filter(|line| line.starts_with("a=crypto:")).map(str::to_owned);
    (profile.unwrap().to_owned(), lines.collect())
}

#[test]
fn two_sessions_agree_as_both_want_it() {
    use Security::{Accept, Off, Prefer, Require};
    // Whether they agree at all, and on SRTP; and the profile.
    for (here, there, expected, profile) in [
        (Off, Accept, Some(false), "RTP/AVP"),
        (Accept, Accept, Some(false), "RTP/AVP"),
        (Accept, Require, None, "RTP/AVP"),
        (Prefer, Off, Some(false), "RTP/AVP"),
        (Prefer, Accept, Some(true), "RTP/AVP"),
        (Prefer, Require, Some(true), "RTP/AVP"),
        (Require, Off, None, "RTP/SAVP"),
        (Require, Accept, Some(true), "RTP/SAVP"),
        (Require, Require, Some(true), "RTP/SAVP"),
    ] {
        let (mut calls, mut answers) = (session(1, here), session(2, there));
        equip(&mut calls, 1);
        let offer = calls.offer(local(20_000), &g711(), Direction::SendRecv);
        assert_eq!(said(&text(offer.clone())).0, profile, "{here:?} {there:?}");
        let agreed = answers.receive_offer(&offer, &g711()).map(|_| {
            equip(&mut answers, 2);
            let answer = answers.answer(local(30_000), &g711(), Direction::SendRecv).unwrap();
            assert_eq!(said(&text(answer.clone())).0, profile, "{here:?} {there:?}");
            calls.receive_answer(&answer).unwrap()
        });
        let is_secret = agreed.as_ref().ok().map(|audio| audio.crypto.is_some());
        assert_eq!(is_secret, expected, "{here:?} {there:?}: {agreed:?}");
        assert!(
            agreed.is_ok() || agreed == Err(Error::NoCommonSecurity) && agreed.unwrap_err().status() == 488
        );
        if expected == Some(true) {
            let theirs = |session: &Session| session.agreed().unwrap().crypto.clone().unwrap().key;
            assert_eq!(theirs(&calls), answers.ours().unwrap().key);
            assert_eq!(theirs(&answers), calls.ours().unwrap().key);
        }
    }
}

#[test]
fn the_first_line_that_is_known_is_answered_under_its_tag() {
    let unknown = format!("a=crypto:1 F8_128_HMAC_SHA1_80 inline:{KEY}\r\n");
    let identified = format!("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4\r\n");
    for (lines, tag, suite) in [
        (line(1, Suite::Cm80, KEY), 1, Suite::Cm80),
        (line(7, Suite::Cm32, KEY) + &line(8, Suite::Cm80, OTHER), 7, Suite::Cm32),
        (unknown + &identified + &line(3, Suite::Gcm128, &"A".repeat(38)), 3, Suite::Gcm128),
    ] {
        let mut session = session(1, Security::Accept);
        session.receive_offer(&offer("RTP/SAVP", &lines), &g711()).unwrap();
        assert_eq!(session.key_due(), Some(suite));
        equip(&mut session, 1);
        let answer = text(session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap());
        let expected = format!("a=crypto:{}", ours(suite, 1).line(tag));
        assert_eq!(said(&answer), ("RTP/SAVP".to_owned(), vec![expected]));
    }
}

#[test]
fn what_brings_no_usable_key_is_refused_where_there_must_be_one_and_is_plain_else() {
    let identified = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4\r\n");
    for (profile, lines, security, expected) in [
        ("RTP/SAVP", "", Security::Accept, None),
        ("RTP/SAVP", &*identified, Security::Accept, None),
        ("RTP/SAVP", &*line(1, Suite::Cm80, KEY), Security::Off, None),
        ("RTP/AVP", "", Security::Require, None),
        ("RTP/AVP", &*identified, Security::Require, None),
        ("RTP/AVP", &*identified, Security::Prefer, Some(false)),
        ("RTP/AVP", &*line(1, Suite::Cm80, KEY), Security::Off, Some(false)),
        ("RTP/AVP", &*line(1, Suite::Cm80, KEY), Security::Require, Some(true)),
    ] {
        let read = session(1, security).receive_offer(&offer(profile, lines), &g711());
        assert!(!matches!(&read, Err(error) if *error != Error::NoCommonSecurity), "{read:?}");
        let is_secret = read.ok().map(|audio| audio.crypto.is_some());
        assert_eq!(is_secret, expected, "{profile} {lines} {security:?}");
    }
}

#[test]
fn of_two_audio_lines_the_first_that_can_be_had_is_taken() {
    let both =
        sdp(&format!("m=audio 4000 RTP/SAVP 8\r\n{}m=audio 4002 RTP/AVP 8\r\n", line(1, Suite::Cm80, KEY)));
    for (security, port) in [(Security::Accept, 4000), (Security::Off, 4002)] {
        let audio = session(1, security).receive_offer(&both, &g711()).unwrap();
        assert_eq!(audio.remote.port(), port);
    }
}

#[test]
fn without_our_key_an_answer_is_plain_or_there_is_none() {
    for (profile, security, expected) in [
        ("RTP/AVP", Security::Accept, Ok(("RTP/AVP".to_owned(), vec![]))),
        ("RTP/AVP", Security::Require, Err(Error::NoCommonSecurity)),
        ("RTP/SAVP", Security::Accept, Err(Error::NoCommonSecurity)),
    ] {
        let mut session = session(1, security);
        session.receive_offer(&offer(profile, &line(1, Suite::Cm80, KEY)), &g711()).unwrap();
        session.equip(ours(Suite::Gcm128, 1));
        assert_eq!(session.ours(), None, "it is for another suite");
        let answer = session.answer(local(20_000), &g711(), Direction::SendRecv);
        assert_eq!(answer.map(|answer| said(&text(answer))), expected, "{profile} {security:?}");
    }
}

/// A session that has answered this offer.
fn answered(profile: &str, lines: &str, security: Security) -> Session {
    let mut session = session(1, security);
    session.receive_offer(&offer(profile, lines), &g711()).unwrap();
    equip(&mut session, 1);
    session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap();
    session
}

#[test]
fn later_descriptions_keep_profile_and_key() {
    for profile in ["RTP/AVP", "RTP/SAVP"] {
        for security in [Security::Accept, Security::Prefer, Security::Require] {
            let mut session = answered(profile, &line(4, Suite::Cm32, KEY), security);
            let first = session.ours().unwrap().clone();
            session.equip(ours(Suite::Cm32, 9));
            assert_eq!(session.ours(), Some(&first), "the first one counts");
            let held = text(session.offer(local(20_002), &g711(), Direction::SendOnly));
            let line_of_ours = format!("a=crypto:{}", first.line(1));
            assert_eq!(said(&held), (profile.to_owned(), vec![line_of_ours]));
            let answer = offer(profile, &line(1, Suite::Cm32, OTHER));
            let audio = session.receive_answer(&answer).unwrap();
            assert_eq!(audio.crypto.unwrap().suite, Suite::Cm32);
        }
    }
}

#[test]
fn a_session_that_is_plain_stays_so_in_what_we_offer() {
    let mut session = answered("RTP/AVP", "", Security::Prefer);
    let held = text(session.offer(local(20_002), &g711(), Direction::SendOnly));
    assert_eq!(said(&held), ("RTP/AVP".to_owned(), vec![]));
    session.withdraw();
    let secret = session.receive_offer(&offer("RTP/SAVP", &line(1, Suite::Cm80, KEY)), &g711());
    assert_eq!(secret, Err(Error::NoCommonSecurity), "it gets no key any more");
}

#[test]
fn later_offers_must_have_the_sessions_suite_and_may_bring_another_key() {
    let mut session = answered("RTP/SAVP", &line(1, Suite::Cm80, KEY), Security::Accept);
    let first = session.ours().unwrap().clone();
    let mut hear = |lines: &str| session.receive_offer(&offer("RTP/SAVP", lines), &g711()).map(drop);
    assert_eq!(hear(&line(1, Suite::Cm32, KEY)), Err(Error::NoCommonSecurity));
    hear(&(line(1, Suite::Cm32, KEY) + &line(2, Suite::Cm80, KEY))).unwrap();
    hear(&line(1, Suite::Cm80, KEY)).unwrap();
    assert!(!session.offer_differs(), "the same key again");
    session.receive_offer(&offer("RTP/SAVP", &line(5, Suite::Cm80, OTHER)), &g711()).unwrap();
    assert!(session.offer_differs());
    let answer = text(session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap());
    assert_eq!(said(&answer).1, [format!("a=crypto:{}", first.line(5))]);
}

#[test]
fn an_answer_must_fit_our_offer() {
    let identified = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4\r\n");
    for (security, profile, lines, expected) in [
        (Security::Prefer, "RTP/AVP", "", Ok(false)),
        (Security::Prefer, "RTP/AVP", &*line(1, Suite::Cm80, KEY), Ok(true)),
        (Security::Prefer, "RTP/SAVP", &*line(1, Suite::Cm80, KEY), Ok(true)),
        (Security::Prefer, "RTP/AVP", &*line(1, Suite::Cm32, KEY), Err(Error::NoCommonSecurity)),
        (Security::Prefer, "RTP/AVP", &*identified, Err(Error::NoCommonSecurity)),
        (Security::Require, "RTP/AVP", "", Err(Error::NoCommonSecurity)),
        (Security::Require, "RTP/SAVP", "", Err(Error::NoCommonSecurity)),
        (Security::Require, "RTP/SAVP", &*line(1, Suite::Cm80, KEY), Ok(true)),
        (Security::Accept, "RTP/AVP", &*line(1, Suite::Cm80, KEY), Ok(false)),
        (Security::Accept, "RTP/SAVP", &*line(1, Suite::Cm80, KEY), Err(Error::NoCommonSecurity)),
    ] {
        let mut session = session(1, security);
        equip(&mut session, 1);
        session.offer(local(20_000), &g711(), Direction::SendRecv);
        let read = session.receive_answer(&offer(profile, lines)).map(|audio| audio.crypto.is_some());
        assert_eq!(read, expected, "{security:?} {profile} {lines}");
    }
}

#[test]
fn nothing_is_said_or_kept_of_keys_where_they_are_not_wanted() {
    let mut session = session(1, Security::Off);
    session.receive_offer(&offer("RTP/AVP", &line(1, Suite::Cm80, KEY)), &g711()).unwrap();
    assert_eq!(session.key_due(), None);
    let answer = text(session.answer(local(20_000), &g711(), Direction::SendRecv).unwrap());
    assert!(!answer.contains("crypto"), "{answer}");
    session.offer(local(20_000), &g711(), Direction::SendRecv);
    let kept = serde_json::to_string(&session).unwrap();
    for field in ["crypto", "security", "ours\"", "secret"] {
        assert!(!kept.contains(field), "{field}: {kept}");
    }
    assert_eq!(serde_json::from_str::<Session>(&kept).unwrap(), session);
}

#[test]
fn a_session_shows_no_key() {
    let mut session = answered("RTP/SAVP", &line(4, Suite::Cm80, KEY), Security::Require);
    session.offer(local(20_000), &g711(), Direction::SendRecv);
    let shown = format!("{session:?}");
    let ours = session.ours().unwrap().line(1);
    assert!(!shown.contains(KEY) && !shown.contains(ours.rsplit(':').next().unwrap()), "{shown}");
    let kept: Session = serde_json::from_str(&serde_json::to_string(&session).unwrap()).unwrap();
    assert_eq!(kept, session);
}
