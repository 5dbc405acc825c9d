//! T.38 on a standing call: offered, answered, refused, and audio again.

use super::pair::{Callee, Caller, Pair, Who, media};
use crate::sdp::Direction;
use crate::ua::{Fact, State};
use crate::{Message, Method};

const IMAGE: &str = "v=0\r\no=- 9 9 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\n\
    m=image 5002 udptl t38\r\na=T38FaxVersion:0\r\n";

/// An offer of T.38 in a re-INVITE.
fn image() -> Message {
    Message::request(Method::INVITE, "sip:x@y").with_body("application/sdp", IMAGE.into())
}

fn terms(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

/// The line of media in the last description that a side has sent.
fn line(pair: &Pair, who: Who) -> String {
    let described = pair.sent(who).iter().rfind(|message| !message.body().is_empty());
    let body = String::from_utf8_lossy(described.expect("a description").body()).into_owned();
    body.lines().find(|line| line.starts_with("m=")).expect("a line").to_owned()
}

/// A call in which the caller has offered T.38 and the callee has taken it.
fn faxing(seed: u64) -> Pair {
    let mut pair = Pair::talking(seed);
    pair.act(Caller, |leg, ctx| leg.offer_fax(media(Caller), terms("T38FaxVersion:0"), ctx));
    pair.run(100);
    let offered = pair.leg(Callee).offered_fax().expect("an offer").clone();
    assert_eq!(pair.facts(Callee), [Fact::FaxOffered { fax: offered.clone() }]);
    assert_eq!(offered.terms, terms("T38FaxVersion:0"));
    pair.act(Callee, |leg, ctx| {
        leg.accept_fax(media(Callee), &terms("T38FaxVersion:3"), Direction::SendRecv, ctx)
    });
    pair.run(100);
    let agreed = pair.leg(Caller).fax().expect("an agreement").clone();
    assert_eq!(pair.facts(Caller), [Fact::FaxAccepted { fax: agreed.clone() }]);
    assert_eq!(agreed.terms, terms("T38FaxVersion:3"));
    assert_eq!(pair.said(Callee), ["100 INVITE", "200 INVITE"]);
    pair.forget();
    pair
}

#[test]
fn audio_gives_its_place_to_a_fax_and_gets_it_back() {
    let mut pair = faxing(81);
    assert!(pair.leg(Callee).fax().is_some());
    pair.act(Callee, |leg, ctx| leg.offer_audio(media(Callee), ctx));
    pair.run(100);
    assert!(matches!(pair.facts(Caller), [Fact::OfferReceived { .. }]));
    assert!(line(&pair, Callee).starts_with("m=audio 20000 RTP/AVP "));
    pair.act(Caller, |leg, ctx| leg.accept_offer(media(Caller), Direction::SendRecv, ctx));
    pair.run(100);
    assert!(matches!(pair.facts(Callee), [Fact::OfferAccepted { .. }]));
    assert!([Caller, Callee].iter().all(|who| pair.leg(*who).fax().is_none()));
}

#[test]
fn media_that_moves_and_questions_without_offer_leave_it_a_fax() {
    let mut pair = faxing(82);
    let mut moved = media(Caller);
    moved.port = 20_400;
    pair.act(Caller, |leg, ctx| leg.offer(moved, Direction::SendRecv, ctx));
    pair.run(100);
    assert_eq!(line(&pair, Caller), "m=image 20400 udptl t38");
    let offered = pair.leg(Callee).offered_fax().expect("an offer").clone();
    assert_eq!((offered.remote.port(), offered.terms), (20_400, terms("T38FaxVersion:0")));
    pair.act(Callee, |leg, ctx| {
        leg.accept_fax(media(Callee), &terms("T38FaxVersion:3"), Direction::SendRecv, ctx)
    });
    pair.run(100);
    pair.forget();
    pair.inject(Callee, &Message::request(Method::INVITE, "sip:x@y"));
    pair.run(100);
    assert_eq!(line(&pair, Callee), "m=image 20000 udptl t38");
}

#[test]
fn a_far_end_that_refuses_goes_on_talking() {
    let mut pair = Pair::talking(83);
    pair.act(Caller, |leg, ctx| leg.offer_fax(media(Caller), terms("T38FaxVersion:0"), ctx));
    pair.run(100);
    pair.act(Callee, |leg, ctx| leg.refuse_offer(488, ctx));
    pair.run(100);
    assert_eq!(pair.facts(Caller), [Fact::FaxRefused { status: 488 }]);
    assert_eq!([pair.state(Caller), pair.state(Callee)], [State::Confirmed; 2]);
    assert!([Caller, Callee].iter().all(|who| pair.leg(*who).fax().is_none()));
}

#[test]
fn an_offer_nobody_answers_keeps_the_call() {
    let mut pair = Pair::talking(84);
    pair.loss = 100;
    pair.act(Caller, |leg, ctx| leg.offer_fax(media(Caller), terms("T38FaxVersion:0"), ctx));
    pair.run(40_000);
    assert_eq!(pair.facts(Caller), [Fact::FaxRefused { status: 408 }]);
    assert_eq!(pair.state(Caller), State::Confirmed);
}

/// It answers with audio in the fax's line: the same as a refusal, but it has heard an offer without audio.
#[test]
fn a_far_end_that_accepts_without_it_is_offered_audio_again() {
    let mut pair = Pair::talking(85);
    pair.act(Caller, |leg, ctx| leg.offer_fax(media(Caller), terms("T38FaxVersion:0"), ctx));
    pair.run(100);
    // No description of a fax is in its 200.
    pair.act(Callee, |leg, ctx| leg.accept_offer(media(Callee), Direction::SendRecv, ctx));
    pair.run(100);
    let facts = pair.facts(Caller);
    assert!(matches!(facts, [Fact::FaxRefused { status: 488 }, Fact::OfferAccepted { .. }]), "{facts:?}");
    assert!(line(&pair, Caller).starts_with("m=audio 20000 RTP/AVP "));
}

#[test]
fn offers_that_cross_end_in_one_fax() {
    let mut pair = Pair::talking(86);
    for who in [Caller, Callee] {
        pair.act(who, |leg, ctx| leg.offer_fax(media(who), terms("T38FaxVersion:0"), ctx));
    }
    pair.run(100);
    assert!([Caller, Callee].iter().all(|who| pair.said(*who).contains(&"491 INVITE".to_owned())));
    for _ in 0..100 {
        pair.run(100);
        for who in [Caller, Callee] {
            if pair.leg(who).offered_fax().is_some() {
                pair.act(who, |leg, ctx| {
                    leg.accept_fax(media(who), &terms("T38FaxVersion:0"), Direction::SendRecv, ctx)
                });
            }
        }
    }
    for who in [Caller, Callee] {
        assert!(pair.leg(who).fax().is_some() && !pair.leg(who).is_offering(), "{who:?}");
        let invites = pair.said(who).iter().filter(|said| *said == "INVITE").count();
        assert!(invites <= 2, "whose retry was not needed does not ask again: {:?}", pair.said(who));
    }
}

#[test]
fn where_no_fax_is_taken_its_offers_are_refused() {
    let mut pair = Pair::talking(87);
    pair.take_no_fax(Callee);
    pair.inject(Callee, &image());
    pair.run(100);
    assert_eq!((pair.said(Callee), pair.facts(Callee)), (vec!["488 INVITE".to_owned()], &[][..]));
}

#[test]
fn an_offer_that_is_withheld_never_goes_out() {
    let mut pair = Pair::talking(88);
    pair.inject(Caller, &image());
    pair.run(100);
    pair.forget();
    pair.act(Caller, |leg, ctx| leg.offer_fax(media(Caller), terms("T38FaxVersion:0"), ctx));
    pair.act(Caller, |leg, _| {
        leg.withhold_fax();
        Vec::new()
    });
    pair.act(Caller, |leg, ctx| leg.refuse_offer(488, ctx));
    pair.run(100);
    assert_eq!(pair.said(Caller), ["488 INVITE"]);
    assert!(!pair.leg(Caller).is_offering());
}
