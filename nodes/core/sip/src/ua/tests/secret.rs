//! A dialog whose sound is SRTP: our key comes after the dialog began, and stays through changes and repeats.

use super::far::{ANSWER, Far, described, invite, request, source};
use super::pair::{Callee, media};
use crate::sdp::{Direction, Ours, Security, Suite, g711};
use crate::{Message, Method};

const OFFER: &str = "v=0\r\no=- 7 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\n\
    m=audio 4000 RTP/SAVP 8\r\n\
    a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20\r\n";

fn ours() -> Ours {
    Ours::new(Suite::Cm80, vec![0_u8; 30].into()).unwrap()
}

/// What a message says of SRTP: the profile, and our line.
fn said(message: &Message) -> Vec<String> {
    let body = String::from_utf8_lossy(message.body()).into_owned();
    let line = body.lines().find_map(|line| line.strip_prefix("m=audio 20000 ")).expect("an audio line");
    let profile = line.split(' ').next().map(str::to_owned);
    profile
        .into_iter()
        .chain(body.lines().filter(|line| line.starts_with("a=crypto")).map(str::to_owned))
        .collect()
}

fn expected(tag: u32) -> Vec<String> {
    let line = format!("a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{}", "A".repeat(40));
    vec!["RTP/SAVP".to_owned(), line]
}

#[test]
fn our_key_stays_through_repeats_holds_and_moves() {
    let invite = invite().with_body("application/sdp", OFFER.into());
    let mut far = Far::taking(&g711(), Security::Accept, &invite, source("203.0.113.9:5060"));
    assert_eq!(far.leg.key_due(), Some(Suite::Cm80));
    far.act(|leg, ctx| {
        leg.equip(ours());
        leg.answer(media(Callee), ctx)
    });
    let answer = far.responses.last().unwrap().clone();
    assert_eq!(said(&answer), expected(3));
    far.say(&invite);
    assert_eq!((far.responses.last(), far.responses.len()), (Some(&answer), 2), "the same bytes again");

    far.say(&request(&far, Method::ACK, 5));
    let held = OFFER.replace("o=- 7 1", "o=- 7 2") + "a=sendonly\r\n";
    far.say(&request(&far, Method::INVITE, 6).with_body("application/sdp", held.into()));
    far.act(|leg, ctx| leg.accept_offer(media(Callee), Direction::SendRecv, ctx));
    assert_eq!(said(far.responses.last().unwrap()), expected(3));
    far.say(&request(&far, Method::ACK, 6));
    far.act(|leg, ctx| leg.offer(media(Callee), Direction::SendRecv, ctx));
    assert_eq!(said(far.requests.last().unwrap()), expected(1));
}

#[test]
fn debug_shows_no_key() {
    let invite = invite().with_body("application/sdp", OFFER.into());
    let mut far = Far::taking(&g711(), Security::Accept, &invite, source("203.0.113.9:5060"));
    let mut sent = String::new();
    far.act(|leg, ctx| {
        leg.equip(ours());
        let out = leg.answer(media(Callee), ctx);
        sent = format!("{out:?}");
        out
    });
    let shown = format!("{invite:?} {sent} {:?} {:?}", far.responses, far.leg);
    assert!(shown.contains("RTP/SAVP") && shown.contains("a=crypto:…"), "{shown}");
    // Neither their key nor ours, as text or as numbers.
    let secrets = ["NzB4d1BINUAv", "AAAAAAAA", "78, 122, 66, 52", "65, 65, 65, 65"];
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

#[test]
fn of_forks_that_ring_the_one_with_a_key_is_heard() {
    let with_key = OFFER.replace("RTP/SAVP", "RTP/AVP").replace("crypto:3", "crypto:1");
    for order in [["plain", "secret"], ["secret", "plain"]] {
        let (uri, at) = ("sip:101@203.0.113.9", "203.0.113.9:5060");
        let mut far = Far::offered(uri, at, Security::Prefer, Some(ours()));
        for tag in order {
            let body = if tag == "plain" { ANSWER } else { with_key.as_str() };
            far.say(&far.answer_to(0, 183, tag).with_body("application/sdp", body.into()));
        }
        let has_key = |far: &Far| far.leg.audio().map(|audio| audio.crypto.is_some());
        assert_eq!(has_key(&far), Some(true), "{order:?}");
        far.say(&described(far.answer_to(0, 200, "plain")));
        assert_eq!(has_key(&far), Some(false), "{order:?}: it has answered");
    }
}

#[test]
fn a_later_offer_that_is_plain_is_refused_where_it_must_be_srtp() {
    for (security, answered) in [(Security::Require, 488), (Security::Accept, 200)] {
        let invite = invite().with_body("application/sdp", OFFER.into());
        let mut far = Far::taking(&g711(), security, &invite, source("203.0.113.9:5060"));
        far.act(|leg, ctx| {
            leg.equip(ours());
            leg.answer(media(Callee), ctx)
        });
        far.say(&request(&far, Method::ACK, 5));
        let plain = OFFER.replace("RTP/SAVP", "RTP/AVP").replace("a=crypto", "a=x");
        far.say(&request(&far, Method::INVITE, 6).with_body("application/sdp", plain.into()));
        far.act(|leg, ctx| leg.accept_offer(media(Callee), Direction::SendRecv, ctx));
        assert_eq!(far.responses.last().unwrap().status(), Some(answered), "{security:?}");
    }
}

#[test]
fn an_invite_without_offer_is_answered_with_ours() {
    for (security, due) in [(Security::Require, Some(Suite::Cm80)), (Security::Accept, None)] {
        let invite = invite().with_body("application/sdp", Vec::new());
        let mut far = Far::taking(&g711(), security, &invite, source("203.0.113.9:5060"));
        assert_eq!(far.leg.key_due(), due);
        far.act(|leg, ctx| {
            leg.equip(ours());
            leg.answer(media(Callee), ctx)
        });
        let answer = said(far.responses.last().unwrap());
        let plain = vec!["RTP/AVP".to_owned()];
        assert_eq!(answer, if due.is_some() { expected(1) } else { plain }, "{security:?}");
    }
}
