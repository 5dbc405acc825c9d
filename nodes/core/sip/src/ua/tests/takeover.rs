//! Another node takes over in the middle: what it repeats is what was said, byte for byte, and the call
//! goes on.

use super::far::{Far, invite, request, source};
use super::pair::{Callee, Caller, Pair, media};
use crate::sdp::Direction;
use crate::ua::{Fact, Failure, State};
use crate::{Message, Method, Replacing, Source, Transport};

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

#[test]
fn a_bye_that_was_lost_with_its_websocket_is_said_again_over_the_next_one() {
    let by = |transport, flow: &str| {
        let from = source("203.0.113.9:5060");
        Source { transport, flow: Some(flow.to_owned()), ..from }
    };
    for (transport, replaces, said) in [
        (Transport::Ws, Replacing::Known, &["BYE", "BYE"][..]),
        (Transport::Ws, Replacing::Unknown, &["BYE"]),
        (Transport::Tcp, Replacing::Known, &["BYE"]),
    ] {
        let mut far = Far::calling(&invite(), by(transport, "flow-1"));
        far.local.replaces = replaces;
        far.act(|leg, ctx| leg.answer(media(Callee), ctx));
        far.say(&request(&far, Method::ACK, 5));
        far.act(|leg, ctx| leg.hang_up(None, ctx));
        let branch = far.requests[0].branch().unwrap();
        far.act(|leg, ctx| leg.failed(Failure::TransportFailed { branch, method: Method::BYE }, ctx));
        assert_eq!((far.leg.is_ended(), far.leg.is_unheard()), (true, said.len() == 2), "{transport:?}");
        let next = by(transport, "flow-2");
        for _ in 0..2 {
            far.act(|leg, ctx| {
                leg.reached_from(&next);
                leg.hang_up_again(None, ctx)
            });
            assert_eq!(far.said(), said, "{transport:?}");
            let done = Message::reply_to(far.requests.last().unwrap(), 200);
            far.say(&done);
            assert!(far.leg.is_ended() && !far.leg.is_unheard(), "{transport:?}: it is known");
        }
        let way = far.destinations.last().unwrap();
        assert_eq!(way.flow.as_deref(), Some(if said.len() == 2 { "flow-2" } else { "flow-1" }));
    }
}
