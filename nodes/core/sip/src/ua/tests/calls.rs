//! Whole calls, from INVITE to the end.

use super::far::{Far, invite, request, source};
use super::pair::{Callee, Caller, Pair, media};
use crate::sdp::{Credentials, Direction, Security, g711};
use crate::ua::{Fact, State};
use crate::{Message, Method};

#[test]
fn a_call_is_set_up_and_hung_up_by_either_side() {
    for (leaver, left) in [(Caller, Callee), (Callee, Caller)] {
        let mut pair = Pair::new(1);
        pair.dial(Some(media(Caller)));
        pair.run(50);
        assert!(matches!(pair.facts(Callee), [Fact::OfferReceived { .. }]));
        pair.act(Callee, |leg, ctx| leg.trying(ctx));
        pair.act(Callee, |leg, ctx| leg.ring(None, ctx));
        pair.run(200);
        assert_eq!([pair.state(Caller), pair.state(Callee)], [State::Early; 2]);
        pair.act(Callee, |leg, ctx| leg.answer(media(Callee), ctx));
        pair.run(200);
        assert!(matches!(
            pair.facts(Caller),
            [Fact::Ringing { status: 180, audio: None }, Fact::Answered { audio: Some(_) }, Fact::Confirmed]
        ));
        assert!(matches!(pair.facts(Callee), [Fact::OfferReceived { .. }, Fact::Confirmed]));
        let audio = pair.leg(Caller).audio().unwrap();
        assert_eq!(audio.remote.to_string(), "198.51.100.2:20000");
        assert_eq!((audio.telephone_event, audio.direction), (Some(101), Direction::SendRecv));
        pair.forget();
        pair.act(leaver, |leg, ctx| leg.hang_up(Some("Q.850;cause=16"), ctx));
        pair.run(200);
        assert_eq!(pair.facts(left), [Fact::HungUp { reason: Some("Q.850;cause=16".into()) }]);
        assert_eq!([pair.state(Caller), pair.state(Callee)], [State::Ended; 2]);
        assert_eq!(pair.facts(leaver), []);
    }
}

#[test]
fn early_media_is_reliable_and_the_answer_repeats_nothing() {
    let mut pair = Pair::new(2);
    pair.dial(Some(media(Caller)));
    pair.run(50);
    pair.act(Callee, |leg, ctx| leg.ring(Some(media(Callee)), ctx));
    pair.act(Callee, |leg, ctx| leg.answer(media(Callee), ctx));
    assert_eq!(pair.said(Callee), ["183 INVITE"], "the answer waits for PRACK");
    pair.run(200);
    assert_eq!(pair.said(Callee), ["183 INVITE", "200 PRACK", "200 INVITE"]);
    assert_eq!(pair.said(Caller), ["INVITE", "PRACK", "ACK"]);
    assert!(pair.sent(Callee)[2].body.is_empty());
    assert!(matches!(pair.facts(Caller)[0], Fact::Ringing { status: 183, audio: Some(_) }));
    assert!(matches!(pair.facts(Caller)[1], Fact::Answered { audio: Some(_) }));
}

#[test]
fn media_that_moved_since_the_early_answer_is_offered_after_the_ack() {
    let mut pair = Pair::new(3);
    pair.dial(Some(media(Caller)));
    pair.run(50);
    pair.act(Callee, |leg, ctx| leg.ring(Some(media(Callee)), ctx));
    pair.run(100);
    let mut moved = media(Callee);
    moved.port = 20_500;
    pair.act(Callee, |leg, ctx| leg.answer(moved, ctx));
    pair.run(100);
    assert!(
        matches!(pair.facts(Caller).last(), Some(Fact::OfferReceived { audio }) if audio.remote.port() == 20_500)
    );
    pair.act(Caller, |leg, ctx| leg.accept_offer(media(Caller), Direction::SendRecv, ctx));
    pair.run(100);
    assert!(matches!(pair.facts(Callee).last(), Some(Fact::OfferAccepted { .. })));
}

#[test]
fn an_invite_without_offer_is_answered_with_ours() {
    let mut pair = Pair::new(4);
    pair.dial(None);
    pair.run(50);
    assert_eq!(pair.facts(Callee), []);
    pair.act(Callee, |leg, ctx| leg.ring(None, ctx));
    pair.act(Callee, |leg, ctx| leg.answer(media(Callee), ctx));
    pair.run(100);
    assert!(matches!(
        pair.facts(Caller),
        [Fact::Ringing { .. }, Fact::OfferReceived { .. }, Fact::Answered { audio: None }]
    ));
    pair.act(Caller, |leg, ctx| leg.accept_offer(media(Caller), Direction::SendRecv, ctx));
    pair.run(100);
    assert!(matches!(pair.facts(Callee), [Fact::OfferAccepted { .. }, Fact::Confirmed]));
    assert_eq!(pair.facts(Caller).last(), Some(&Fact::Confirmed));
    assert_eq!(pair.leg(Callee).audio().unwrap().remote.to_string(), "198.51.100.1:20000");
}

#[test]
fn a_refusal_reaches_the_caller_with_its_reasons() {
    let mut pair = Pair::new(5);
    pair.dial(Some(media(Caller)));
    pair.run(50);
    pair.act(Callee, |leg, ctx| leg.reject(486, Some("Q.850;cause=17"), Some(30), ctx));
    pair.run(100);
    let busy = Fact::Failed { status: 486, reason: "Busy Here".into(), retry_after: Some(30) };
    assert_eq!(pair.facts(Caller), [busy]);
    assert_eq!((pair.state(Caller), pair.state(Callee)), (State::Ended, State::Ending));
    pair.run(33_000);
    assert_eq!(pair.state(Callee), State::Ended);
}

#[test]
fn nobody_there_fails_with_408() {
    let mut pair = Pair::new(6);
    pair.loss = 100;
    pair.dial(Some(media(Caller)));
    pair.run(40_000);
    assert!(matches!(pair.facts(Caller), [Fact::Failed { status: 408, .. }]));
    assert!(pair.leg(Caller).is_ended());
}

/// Every way of calling, over a network that loses a third of all messages.
#[test]
fn calls_survive_a_lossy_network() {
    for seed in 0..40 {
        let mut pair = Pair::new(seed);
        pair.loss = 33;
        pair.dial(Some(media(Caller)).filter(|_| seed % 4 != 3));
        pair.run(8_000);
        let early = Some(media(Callee)).filter(|_| seed % 2 == 0);
        pair.act(Callee, |leg, ctx| leg.ring(early, ctx));
        pair.run(20_000);
        pair.act(Callee, |leg, ctx| leg.answer(media(Callee), ctx));
        for _ in 0..40 {
            pair.run(1_000);
            pair.act(Caller, |leg, ctx| leg.accept_offer(media(Caller), Direction::SendRecv, ctx));
        }
        assert_eq!(
            [pair.state(Caller), pair.state(Callee)],
            [State::Confirmed; 2],
            "seed {seed} {:?} {:?}",
            pair.facts(Caller),
            pair.facts(Callee)
        );
        assert!(pair.facts(Callee).contains(&Fact::Confirmed), "seed {seed}");
        let leaver = if seed % 3 == 0 { Callee } else { Caller };
        pair.act(leaver, |leg, ctx| leg.hang_up(None, ctx));
        pair.run(70_000);
        assert_eq!([pair.state(Caller), pair.state(Callee)], [State::Ended; 2], "seed {seed}");
    }
}

#[test]
fn digits_come_by_info() {
    let mut pair = Pair::talking(7);
    let press = |body: &str, kind: &str| {
        Message::request(Method::INFO, "sip:x@y").with_body(kind, body.as_bytes().to_vec())
    };
    for (body, kind, digit) in [
        ("Signal=5\r\nDuration=250\r\n", "application/dtmf-relay", Some(('5', 250))),
        ("Signal= *\nDuration= 100", "application/dtmf-relay", Some(('*', 100))),
        ("11", "application/dtmf", Some(('#', 160))),
        ("a", "application/dtmf", Some(('A', 160))),
        ("", "application/dtmf", None),
        ("Signal=55", "application/dtmf-relay", None),
        ("<xml/>", "application/media_control+xml", None),
        ("a=mid:0\r\na=candidate:1 1 UDP 1 192.0.2.7 9 typ host", "application/trickle-ice-sdpfrag", None),
    ] {
        pair.forget();
        pair.inject(Callee, &press(body, kind));
        pair.run(50);
        let expected: Vec<_> =
            digit.into_iter().map(|(digit, duration_ms)| Fact::Digit { digit, duration_ms }).collect();
        assert_eq!(pair.facts(Callee), expected, "{body:?}");
        assert_eq!(pair.said(Callee).len(), 1);
    }
}

/// What is stored of an answer must be the same in all builds: only browsers, which earlier ones refuse, get another.
#[test]
fn candidates_that_come_late_are_taken_of_browsers_alone() {
    let browser = format!(
        "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8\r\nc=IN IP4 0.0.0.0\r\n\
         a=ice-ufrag:F7gI\r\na=fingerprint:sha-256 37{}\r\na=setup:actpass\r\na=rtcp-mux\r\n",
        ":37".repeat(31)
    );
    let plain = invite();
    let browser = invite().with_body("application/sdp", browser.into());
    for (invite, status, accepted) in [(plain, 415, Some("application/dtmf-relay")), (browser, 200, None)] {
        let mut far = Far::taking(&g711(), Security::Accept, &invite, source("203.0.113.9:5060"));
        let credentials = Credentials::new("evtj", "VOkJxbRl1RmTxUk/WvJxBt", vec![7_u8; 32].into()).unwrap();
        far.act(|leg, ctx| {
            if leg.is_with_browser() {
                leg.introduce(credentials.into());
            }
            leg.answer(media(Callee), ctx)
        });
        far.say(&request(&far, Method::ACK, 5));
        let candidate = b"a=mid:0\r\na=candidate:1 1 UDP 1 192.0.2.7 9 typ host".to_vec();
        let info = request(&far, Method::INFO, 6).with_body("application/trickle-ice-sdpfrag", candidate);
        far.say(&info);
        let answer = far.responses.last().unwrap();
        assert_eq!((answer.status(), answer.header("Accept")), (Some(status), accepted));
    }
}
