//! Another node takes over in the middle: what it repeats is what was said, byte for byte, and the call
//! goes on.

use super::pair::{Callee, Caller, Pair, media};
use crate::sdp::Direction;
use crate::ua::{Fact, State};

/// Replaces both edges every 7 ms through a whole call: nothing new may be said for it.
#[test]
fn takeovers_at_every_moment_of_a_call_change_nothing() {
    let mut plain = Pair::new(61);
    let mut shaken = Pair::new(61);
    whole_call(&mut plain, |pair, time| pair.run(time));
    whole_call(&mut shaken, |pair, time| {
        for _ in 0..time / 7 {
            pair.run(7);
            pair.replace_edge(Caller);
            pair.replace_edge(Callee);
        }
    });
    for who in [Caller, Callee] {
        assert_eq!(shaken.said(who), plain.said(who));
        let bodies =
            |pair: &Pair| pair.sent(who).iter().map(|message| message.body.clone()).collect::<Vec<_>>();
        assert_eq!(bodies(&shaken), bodies(&plain));
        assert_eq!(shaken.facts(who), plain.facts(who));
    }
}

fn whole_call(pair: &mut Pair, run: impl Fn(&mut Pair, u64)) {
    pair.dial(Some(media(Caller)));
    run(pair, 140);
    pair.act(Callee, |leg, ctx| leg.ring(Some(media(Callee)), ctx));
    run(pair, 140);
    pair.act(Callee, |leg, ctx| leg.answer(media(Callee), ctx));
    run(pair, 140);
    pair.act(Caller, |leg, ctx| leg.offer(media(Caller), Direction::SendOnly, ctx));
    run(pair, 140);
    pair.act(Callee, |leg, ctx| leg.accept_offer(media(Callee), Direction::SendRecv, ctx));
    run(pair, 140);
    pair.act(Callee, |leg, ctx| leg.hang_up(None, ctx));
    run(pair, 140);
    assert_eq!([pair.state(Caller), pair.state(Callee)], [State::Ended; 2]);
}

#[test]
fn a_2xx_nobody_acknowledged_is_repeated_after_a_takeover() {
    let mut pair = Pair::new(62);
    pair.dial(Some(media(Caller)));
    pair.run(50);
    pair.loss = 100;
    pair.act(Callee, |leg, ctx| leg.answer(media(Callee), ctx));
    pair.run(50);
    pair.loss = 0;
    pair.replace_edge(Callee);
    pair.run(100);
    assert!(pair.facts(Callee).contains(&Fact::Confirmed));
    assert_eq!(pair.said(Callee), ["200 INVITE"], "both were the same bytes");
}

#[test]
fn a_lost_invite_goes_out_again_after_a_takeover() {
    let mut pair = Pair::new(63);
    pair.loss = 100;
    pair.dial(Some(media(Caller)));
    pair.run(20);
    pair.loss = 0;
    pair.replace_edge(Caller);
    pair.run(50);
    assert_eq!(pair.said(Caller), ["INVITE"]);
    assert_eq!(pair.state(Callee), State::Received);
}

#[test]
fn a_standing_call_owes_nothing() {
    let mut pair = Pair::talking(64);
    pair.run(40_000);
    pair.replace_edge(Caller);
    pair.replace_edge(Callee);
    assert!(pair.said(Caller).is_empty() && pair.said(Callee).is_empty());
}
