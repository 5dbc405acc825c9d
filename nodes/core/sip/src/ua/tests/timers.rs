//! Session timers, refreshes of provisional responses, PRACK that never comes.

use super::far::{Far, invite, request, source};
use super::pair::{Callee, Caller, Pair, media};
use crate::Method;
use crate::ua::{Fact, State, TURNED_AWAY};

const HOUR: u64 = 3_600_000;

#[test]
fn a_session_is_refreshed_for_as_long_as_it_lives() {
    let mut pair = Pair::talking(41);
    pair.run(5 * HOUR);
    assert_eq!([pair.state(Caller), pair.state(Callee)], [State::Confirmed; 2]);
    assert!((18..=22).contains(&pair.said(Caller).iter().filter(|said| *said == "UPDATE").count()));
    assert!(pair.facts(Caller).is_empty() && pair.facts(Callee).is_empty());
}

#[test]
fn without_update_the_refresh_is_a_re_invite_that_changes_nothing() {
    let mut pair = Pair::talking(42);
    pair.forbid_update(Caller);
    pair.run(HOUR);
    assert!(pair.said(Caller).contains(&"INVITE".to_owned()));
    let versions: Vec<_> = pair
        .sent(Caller)
        .iter()
        .filter(|message| message.is(&Method::INVITE))
        .map(|m| m.body.clone())
        .collect();
    assert!(versions.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(pair.facts(Callee).is_empty(), "no decision is asked for: {:?}", pair.facts(Callee));
}

#[test]
fn a_silent_far_end_expires_on_both_sides() {
    let mut pair = Pair::talking(43);
    pair.loss = 100;
    pair.run(HOUR);
    for who in [Caller, Callee] {
        assert_eq!(pair.facts(who), [Fact::SessionExpired]);
        assert_eq!(pair.state(who), State::Ended);
    }
}

#[test]
fn a_gap_without_leader_does_not_expire_a_session() {
    let mut pair = Pair::talking(44);
    let due = pair.leg(Callee).next_due().unwrap();
    pair.act(Callee, |leg, _| {
        leg.extend(30_000);
        Vec::new()
    });
    assert_eq!(pair.leg(Callee).next_due(), Some(due + 30_000));
}

#[test]
fn ringing_is_refreshed_every_minute() {
    let mut pair = Pair::new(45);
    pair.dial(Some(media(Caller)));
    pair.run(50);
    pair.act(Callee, |leg, ctx| leg.ring(None, ctx));
    pair.run(150_000);
    assert_eq!(pair.said(Callee).iter().filter(|said| *said == "180 INVITE").count(), 3);
}

#[test]
fn no_prack_fails_the_call() {
    let mut pair = Pair::new(46);
    pair.eat = |message| message.is(&Method::PRACK);
    pair.dial(Some(media(Caller)));
    pair.run(50);
    pair.act(Callee, |leg, ctx| leg.ring(Some(media(Callee)), ctx));
    pair.run(40_000);
    assert!(matches!(pair.facts(Callee), [_, Fact::AckMissing]), "{:?}", pair.facts(Callee));
    assert!(matches!(pair.facts(Caller).last(), Some(Fact::Failed { status: 504, .. })));
}

#[test]
fn a_caller_whom_an_edge_turned_away_is_not_waited_for() {
    let cseq = invite().cseq().unwrap().0;
    for (reason, confirms, is_over) in
        [(None, false, false), (Some(TURNED_AWAY), false, true), (Some(TURNED_AWAY), true, false)]
    {
        let mut far = Far::calling(&invite(), source("203.0.113.9:5060"));
        far.act(|leg, ctx| leg.answer(media(Callee), ctx));
        if confirms {
            far.say(&request(&far, Method::ACK, cseq));
        }
        let mut cancel = request(&far, Method::CANCEL, cseq);
        reason.into_iter().for_each(|reason| cancel.push("Reason", reason));
        far.say(&cancel);
        assert_eq!(far.facts.contains(&Fact::AckMissing), is_over, "{reason:?}, acknowledged: {confirms}");
        assert_eq!(far.said() == ["BYE"], is_over);
    }
}
