//! An INVITE that several phones answer, and what its responses may say.

use super::far::{Far, described};
use crate::ua::{Fact, State};

fn far() -> Far {
    Far::called("sip:101@203.0.113.9", "203.0.113.9:5060")
}

#[test]
fn the_first_answer_wins_and_later_ones_are_hung_up() {
    let mut far = far();
    for tag in ["a", "b", "c"] {
        far.say(&far.answer_to(0, 180, tag));
    }
    far.say(&described(far.answer_to(0, 200, "b")));
    far.say(&described(far.answer_to(0, 200, "a")));
    far.say(&described(far.answer_to(0, 200, "b")));
    far.say(&described(far.answer_to(0, 200, "a")));
    assert_eq!(far.said(), ["INVITE", "ACK", "ACK", "BYE", "ACK", "ACK"]);
    let tags: Vec<_> = far.requests[1..].iter().map(|request| request.to_tag().unwrap().to_owned()).collect();
    assert_eq!(tags, ["b", "a", "a", "b", "a"]);
    assert_eq!(far.requests[1], far.requests[4], "the same ACK again");
    assert_eq!(far.requests[2], far.requests[5]);
    assert_eq!(far.leg.remote_tag(), Some("b"));
    assert_eq!(far.facts.iter().filter(|fact| matches!(fact, Fact::Answered { .. })).count(), 1);
    assert_eq!(far.leg.state(), State::Confirmed);
}

#[test]
fn a_2xx_after_cancel_gets_ack_and_bye() {
    let mut far = far();
    far.say(&far.answer_to(0, 180, "a"));
    far.act(|leg, ctx| leg.hang_up(Some("SIP;cause=200"), ctx));
    let (invite, cancel) = (&far.requests[0], &far.requests[1]);
    assert_eq!(cancel.branch(), invite.branch());
    assert_eq!(cancel.header("Route"), invite.header("Route"));
    assert_eq!(
        (cancel.cseq().unwrap().0, cancel.header("To")),
        (invite.cseq().unwrap().0, invite.header("To"))
    );
    far.say(&far.answer_to(1, 200, "a"));
    far.say(&described(far.answer_to(0, 200, "b")));
    assert_eq!(far.said(), ["INVITE", "CANCEL", "ACK", "BYE"]);
    assert_eq!(far.leg.state(), State::Ending);
    far.say(&far.answer_to(3, 200, "b"));
    assert_eq!(far.leg.state(), State::Ended);
    assert_eq!(far.facts.len(), 1, "only the ringing before");
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let mut far = far();
    far.act(|leg, ctx| leg.hang_up(None, ctx));
    assert_eq!(far.said(), ["INVITE"]);
    far.say(&far.answer_to(0, 100, "a"));
    assert_eq!(far.said(), ["INVITE", "CANCEL"]);
    far.say(&far.answer_to(0, 180, "a"));
    assert_eq!(far.said(), ["INVITE", "CANCEL"]);
    far.now = 32_000;
    far.act(|leg, ctx| leg.timer(ctx));
    assert!(far.leg.is_ended());
}

#[test]
fn final_answers_are_told_once() {
    for (status, expected) in [
        (302, Fact::Moved { contacts: vec!["sip:a@203.0.113.9:5070".parse().unwrap()] }),
        (401, Fact::Failed { status: 401, reason: "Unauthorized".into(), retry_after: None }),
        (503, Fact::Failed { status: 503, reason: "Service Unavailable".into(), retry_after: None }),
        (603, Fact::Failed { status: 603, reason: "Decline".into(), retry_after: None }),
    ] {
        let mut far = far();
        far.say(&far.answer_to(0, status, "a"));
        far.say(&far.answer_to(0, status, "a"));
        assert_eq!(far.facts, [expected]);
        assert!(far.leg.is_ended());
    }
}

#[test]
fn contacts_of_a_redirection_come_best_first() {
    let mut far = far();
    let mut moved = far.answer_to(0, 300, "a");
    moved.remove("Contact");
    for contact in ["<sip:c@x.example>;q=0.2", "<sip:a@x.example>", "<sip:b@x.example>;q=0.75", "*"] {
        moved.push("Contact", contact);
    }
    far.say(&moved);
    let [Fact::Moved { contacts }] = far.facts.as_slice() else { panic!("{:?}", far.facts) };
    let users: Vec<_> = contacts.iter().filter_map(|uri| uri.user.clone()).collect();
    assert_eq!(users, ["a", "b", "c"]);
}

#[test]
fn an_interval_too_small_is_asked_for_again() {
    let mut far = far();
    far.say(&far.answer_to(0, 422, "a").with("Min-SE", "3600"));
    assert_eq!(far.said(), ["INVITE", "INVITE"]);
    let again = &far.requests[1];
    assert_eq!((again.u32_of("Session-Expires"), again.u32_of("Min-SE")), (Some(3600), Some(3600)));
    assert_ne!(again.branch(), far.requests[0].branch());
    assert_eq!((again.cseq().unwrap().0, again.call_id()), (2, far.requests[0].call_id()));
    assert_eq!(again.body, far.requests[0].body);
}

#[test]
fn each_reliable_response_is_acknowledged_once_and_in_order() {
    let mut far = far();
    let reliable = |far: &Far, tag: &str, rseq: u32| {
        described(far.answer_to(0, 183, tag)).with("Require", "100rel").with("RSeq", rseq)
    };
    for (tag, rseq) in [("a", 7), ("a", 7), ("a", 9), ("a", 8), ("b", 1), ("a", 8)] {
        far.say(&reliable(&far, tag, rseq));
    }
    let racks: Vec<_> =
        far.requests[1..].iter().map(|prack| prack.header("RAck").unwrap().to_owned()).collect();
    assert_eq!(racks, ["7 1 INVITE", "8 1 INVITE", "1 1 INVITE"]);
    let numbers: Vec<_> = far.requests.iter().map(|request| request.cseq().unwrap().0).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[test]
fn an_answer_we_cannot_use_is_acknowledged_and_hung_up() {
    for body in [
        "",
        "v=nonsense",
        "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\nm=audio 0 RTP/AVP 8\r\n",
    ] {
        let mut far = far();
        far.say(&far.answer_to(0, 200, "a").with_body("application/sdp", body.into()));
        assert_eq!(far.said(), ["INVITE", "ACK", "BYE"]);
        assert!(matches!(far.facts[..], [Fact::Failed { .. }]));
    }
}
