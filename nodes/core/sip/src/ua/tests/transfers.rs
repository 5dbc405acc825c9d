//! REFER and its NOTIFYs.

use super::pair::{Callee, Caller, Pair};
use crate::ua::{Fact, Replaces};
use crate::{Message, Method};

fn refer(to: &str) -> Message {
    Message::request(Method::REFER, "sip:x@y").with("Refer-To", to)
}

#[test]
fn a_blind_transfer_is_told_step_by_step() {
    let mut pair = Pair::talking(51);
    pair.inject(Callee, &refer("<sip:102@acme.example>"));
    pair.run(50);
    let Fact::TransferAsked { target, replaces: None } = &pair.facts(Callee)[0] else { panic!() };
    assert_eq!(target.to_string(), "sip:102@acme.example");
    pair.act(Callee, |leg, ctx| leg.accept_refer(100, ctx));
    pair.act(Callee, |leg, ctx| leg.notify_refer(180, ctx));
    pair.act(Callee, |leg, ctx| leg.notify_refer(200, ctx));
    pair.answer_notify(Caller);
    pair.run(1_000);
    assert_eq!(pair.said(Callee), ["202 REFER", "NOTIFY", "NOTIFY"], "180 was overtaken by 200");
    let told: Vec<_> =
        pair.sent(Callee)[1..].iter().map(|notify| String::from_utf8_lossy(&notify.body)).collect();
    assert_eq!(told, ["SIP/2.0 100 Trying\r\n", "SIP/2.0 200 OK\r\n"]);
    assert!(pair.sent(Callee)[2].header("Subscription-State").unwrap().starts_with("terminated"));
    pair.inject(Callee, &refer("<sip:103@acme.example>"));
    pair.run(50);
    assert!(matches!(pair.facts(Callee), [_, Fact::TransferAsked { .. }]), "the next may come");
}

#[test]
fn an_attended_transfer_names_the_dialog_to_replace() {
    let mut pair = Pair::talking(52);
    pair.inject(Callee, &refer("<sip:102@acme.example?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"));
    pair.run(50);
    let Fact::TransferAsked { target, replaces } = &pair.facts(Callee)[0] else { panic!() };
    assert_eq!(target.to_string(), "sip:102@acme.example");
    assert_eq!(replaces.as_deref(), Some("a@b;to-tag=1;from-tag=2"));
    pair.act(Callee, |leg, ctx| leg.refuse_refer(501, ctx));
    assert_eq!(pair.said(Callee), ["501 REFER"]);
}

#[test]
fn a_second_transfer_waits_for_the_first() {
    let mut pair = Pair::talking(53);
    for _ in 0..2 {
        pair.inject(Callee, &refer("<sip:102@acme.example>"));
        pair.run(50);
    }
    assert_eq!(pair.said(Callee), ["491 REFER"]);
}

#[test]
fn no_notify_is_sent_where_none_is_wanted() {
    let mut pair = Pair::talking(54);
    pair.inject(Callee, &refer("<sip:102@acme.example>").with("Refer-Sub", "false"));
    pair.run(50);
    pair.act(Callee, |leg, ctx| leg.accept_refer(100, ctx));
    pair.act(Callee, |leg, ctx| leg.notify_refer(200, ctx));
    assert_eq!(pair.said(Callee), ["202 REFER"]);
}

#[test]
fn a_transfer_that_is_done_at_once_is_told_once() {
    let mut pair = Pair::talking(55);
    pair.inject(Callee, &refer("<sip:102@acme.example?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"));
    pair.run(50);
    pair.act(Callee, |leg, ctx| leg.accept_refer(200, ctx));
    pair.act(Callee, |leg, ctx| leg.hang_up(None, ctx));
    assert_eq!(pair.said(Callee), ["202 REFER", "NOTIFY", "BYE"]);
    let notify = &pair.sent(Callee)[1];
    assert_eq!(String::from_utf8_lossy(&notify.body), "SIP/2.0 200 OK\r\n");
    assert!(notify.header("Subscription-State").unwrap().starts_with("terminated"));
}

#[test]
fn a_dialog_is_found_by_the_names_that_its_far_end_gives_it() {
    let pair = Pair::talking(56);
    let (caller, callee) = (pair.leg(Caller), pair.leg(Callee));
    let names = |to_tag: &str, from_tag: &str, call_id: &str| Replaces {
        call_id: call_id.into(),
        to_tag: to_tag.into(),
        from_tag: from_tag.into(),
        early_only: false,
    };
    let (call_id, ours, theirs) = (caller.call_id(), caller.local_tag(), callee.local_tag());
    assert!(caller.is_named_by(&names(ours, theirs, call_id)));
    assert!(callee.is_named_by(&names(theirs, ours, call_id)));
    for (to_tag, from_tag, call_id) in [(theirs, ours, call_id), (ours, "x", call_id), (ours, theirs, "x")] {
        assert!(!caller.is_named_by(&names(to_tag, from_tag, call_id)), "{to_tag} {from_tag} {call_id}");
    }
}
