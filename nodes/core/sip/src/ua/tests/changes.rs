//! Hold, resume, UPDATE, and changes that fail, on a standing call.

use super::pair::{Callee, Caller, Pair, media};
use crate::sdp::Direction;
use crate::ua::{Fact, State};
use crate::{Message, Method};

#[test]
fn hold_and_resume() {
    let mut pair = Pair::talking(31);
    for (direction, held) in
        [(Direction::SendOnly, Direction::RecvOnly), (Direction::SendRecv, Direction::SendRecv)]
    {
        pair.forget();
        pair.act(Caller, |leg, ctx| leg.offer(media(Caller), direction, ctx));
        pair.run(100);
        assert!(matches!(pair.facts(Callee), [Fact::OfferReceived { audio }] if audio.direction == held));
        pair.act(Callee, |leg, ctx| leg.accept_offer(media(Callee), Direction::SendRecv, ctx));
        pair.run(100);
        assert!(matches!(pair.facts(Caller), [Fact::OfferAccepted { .. }]));
        assert_eq!([pair.direction(Caller), pair.direction(Callee)], [direction, held]);
        assert_eq!(pair.said(Callee), ["100 INVITE", "200 INVITE"]);
    }
}

#[test]
fn a_refused_offer_leaves_everything_as_it_was() {
    let mut pair = Pair::talking(32);
    let before = [Caller, Callee].map(|who| pair.leg(who).audio().cloned());
    pair.act(Caller, |leg, ctx| leg.offer(media(Caller), Direction::Inactive, ctx));
    pair.run(100);
    pair.act(Callee, |leg, ctx| leg.refuse_offer(488, ctx));
    pair.run(100);
    assert_eq!(pair.facts(Caller), [Fact::OfferRefused { status: 488 }]);
    assert_eq!([Caller, Callee].map(|who| pair.leg(who).audio().cloned()), before);
    assert_eq!([pair.state(Caller), pair.state(Callee)], [State::Confirmed; 2]);
}

#[test]
fn an_offer_nobody_answers_keeps_the_call() {
    let mut pair = Pair::talking(33);
    pair.loss = 100;
    pair.act(Caller, |leg, ctx| leg.offer(media(Caller), Direction::Inactive, ctx));
    pair.run(40_000);
    assert_eq!(pair.facts(Caller), [Fact::OfferRefused { status: 408 }]);
    assert_eq!(pair.state(Caller), State::Confirmed);
}

#[test]
fn a_far_end_that_forgot_the_dialog_has_vanished() {
    let mut pair = Pair::talking(34);
    let mut local_only = Pair::talking(35);
    local_only.act(Callee, |leg, ctx| leg.hang_up(None, ctx));
    pair.eat = |message| message.is(&Method::BYE);
    pair.act(Callee, |leg, ctx| leg.hang_up(None, ctx));
    pair.run(40_000);
    assert_eq!((pair.state(Caller), pair.state(Callee)), (State::Confirmed, State::Ended));
    pair.act(Caller, |leg, ctx| leg.offer(media(Caller), Direction::SendOnly, ctx));
    pair.run(1_000);
    assert_eq!(pair.state(Caller), State::Confirmed, "its BYE may be on the way");
    pair.run(5_000);
    assert_eq!(pair.facts(Caller), [Fact::Vanished]);
    assert!(pair.leg(Caller).is_ended());
}

/// The first BYE is lost, an offer crosses the second one.
#[test]
fn a_far_end_whose_bye_is_late_has_hung_up() {
    let mut pair = Pair::talking(36);
    pair.eat = |message| message.is(&Method::BYE);
    pair.act(Callee, |leg, ctx| leg.hang_up(None, ctx));
    pair.run(100);
    pair.act(Caller, |leg, ctx| leg.offer(media(Caller), Direction::SendOnly, ctx));
    pair.run(100);
    pair.eat = |_| false;
    pair.run(4_000);
    assert!(matches!(pair.facts(Caller), [Fact::HungUp { .. }]), "{:?}", pair.facts(Caller));
    assert_eq!((pair.state(Caller), pair.state(Callee)), (State::Ended, State::Ended));
}

#[test]
fn requests_of_every_kind_get_their_answer() {
    let offer = |method| {
        let body = b"v=0\r\no=- 9 9 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
        Message::request(method, "sip:x@y").with_body("application/sdp", body.to_vec())
    };
    let plain = |method| Message::request(method, "sip:x@y");
    for (request, answer) in [
        (plain(Method::UPDATE), "200 UPDATE"),
        (plain(Method::OPTIONS), "200 OPTIONS"),
        (plain(Method::INVITE), "200 INVITE"),
        (plain(Method::NOTIFY), "481 NOTIFY"),
        (plain(Method::PRACK), "481 PRACK"),
        (plain(Method::REFER), "400 REFER"),
        (plain(Method::MESSAGE), "405 MESSAGE"),
        (plain(Method::Other("DANCE".into())), "501 DANCE"),
        (plain(Method::UPDATE).with("Supported", "timer").with("Session-Expires", "30"), "422 UPDATE"),
        (plain(Method::INVITE).with_body("text/plain", b"hello".to_vec()), "415 INVITE"),
        (plain(Method::INVITE).with_body("application/sdp", b"v=what".to_vec()), "400 INVITE"),
        (plain(Method::BYE), "200 BYE"),
    ] {
        let mut pair = Pair::talking(36);
        pair.inject(Callee, &request);
        pair.run(100);
        assert_eq!(pair.said(Callee), [answer]);
    }
    let mut pair = Pair::talking(37);
    pair.inject(Callee, &offer(Method::UPDATE));
    pair.run(100);
    pair.inject(Callee, &offer(Method::UPDATE));
    pair.run(100);
    assert_eq!(pair.said(Callee), ["500 UPDATE"], "the first offer is still open");
    pair.act(Callee, |leg, ctx| leg.accept_offer(media(Callee), Direction::SendRecv, ctx));
    assert_eq!(pair.said(Callee), ["500 UPDATE", "200 UPDATE"]);
    assert_eq!(pair.leg(Callee).audio().unwrap().remote.to_string(), "203.0.113.9:4000");
}

#[test]
fn early_media_moves_by_update() {
    let mut pair = Pair::new(38);
    pair.dial(Some(media(Caller)));
    pair.run(50);
    pair.act(Callee, |leg, ctx| leg.ring(Some(media(Callee)), ctx));
    pair.run(100);
    pair.forget();
    let mut moved = media(Callee);
    moved.port = 20_800;
    pair.act(Callee, |leg, ctx| leg.offer(moved, Direction::SendRecv, ctx));
    pair.run(100);
    assert!(
        matches!(pair.facts(Caller), [Fact::Ringing { audio: Some(audio), .. }] if audio.remote.port() == 20_800)
    );
    assert!(matches!(pair.facts(Callee), [Fact::OfferAccepted { .. }]));
    pair.act(Callee, |leg, ctx| leg.answer(moved, ctx));
    pair.run(100);
    assert_eq!([pair.state(Caller), pair.state(Callee)], [State::Confirmed; 2]);
    assert_eq!(pair.leg(Caller).audio().unwrap().remote.port(), 20_800);
}

#[test]
fn requests_out_of_sequence_are_refused() {
    let mut pair = Pair::talking(39);
    pair.inject(Callee, &Message::request(Method::OPTIONS, "sip:x@y"));
    pair.inject(Callee, &Message::request(Method::OPTIONS, "sip:x@y"));
    pair.reverse_wire();
    pair.run(100);
    assert_eq!(pair.said(Callee), ["200 OPTIONS", "500 OPTIONS"]);
}
