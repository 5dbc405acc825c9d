//! Two decisions that cross each other on the wire: nobody may be left hanging, whoever wins.

use super::pair::{Callee, Caller, Pair, Who, media};
use crate::sdp::Direction;
use crate::ua::{Fact, Leg, Output, State};

type Decision = fn(&mut Leg, &mut crate::ua::Ctx<'_>) -> Vec<Output>;

const HANG_UP: Decision = |leg, ctx| leg.hang_up(None, ctx);
const ANSWER: Decision = |leg, ctx| leg.answer(media(Callee), ctx);
const RING: Decision = |leg, ctx| leg.ring(None, ctx);
const RING_WITH_SOUND: Decision = |leg, ctx| leg.ring(Some(media(Callee)), ctx);
const REJECT: Decision = |leg, ctx| leg.reject(486, None, None, ctx);
const HOLD: Decision = |leg, ctx| leg.offer(media(Caller), Direction::SendOnly, ctx);
const HOLD_THERE: Decision = |leg, ctx| leg.offer(media(Callee), Direction::SendOnly, ctx);

struct Race {
    name: &'static str,
    first: Decision,
    caller: Decision,
    callee: Decision,
    /// How long the callee decides after the caller, in ms; the wire takes 10.
    gap: u64,
    callee_learns: fn(&[Fact]) -> bool,
}

const RACES: &[Race] = &[
    Race {
        name: "CANCEL before any provisional response",
        first: |_, _| Vec::new(),
        caller: HANG_UP,
        callee: RING,
        gap: 0,
        callee_learns: |facts| matches!(facts, [_, Fact::Cancelled { .. }]),
    },
    Race {
        name: "CANCEL while it rings",
        first: RING,
        caller: HANG_UP,
        callee: |_, _| Vec::new(),
        gap: 0,
        callee_learns: |facts| matches!(facts, [_, Fact::Cancelled { .. }]),
    },
    Race {
        name: "CANCEL with early media",
        first: RING_WITH_SOUND,
        caller: HANG_UP,
        callee: ANSWER,
        gap: 20,
        callee_learns: |facts| matches!(facts, [_, Fact::Cancelled { .. }]),
    },
    Race {
        name: "CANCEL crosses 200",
        first: RING,
        caller: HANG_UP,
        callee: ANSWER,
        gap: 5,
        callee_learns: |facts| matches!(facts, [_, Fact::Confirmed, Fact::HungUp { .. }]),
    },
    Race {
        name: "CANCEL crosses 486",
        first: RING,
        caller: HANG_UP,
        callee: REJECT,
        gap: 5,
        callee_learns: |facts| facts.len() == 1,
    },
    Race {
        name: "200 at once, CANCEL never needed",
        first: |_, _| Vec::new(),
        caller: HANG_UP,
        callee: ANSWER,
        gap: 0,
        callee_learns: |facts| matches!(facts, [_, Fact::Confirmed, Fact::HungUp { .. }]),
    },
    Race {
        name: "BYE crosses BYE",
        first: ANSWER,
        caller: HANG_UP,
        callee: HANG_UP,
        gap: 5,
        callee_learns: |facts| matches!(facts, [_, Fact::Confirmed]),
    },
    Race {
        name: "BYE crosses re-INVITE",
        first: ANSWER,
        caller: HANG_UP,
        callee: HOLD_THERE,
        gap: 5,
        callee_learns: |facts| matches!(facts, [_, Fact::Confirmed, Fact::HungUp { .. }]),
    },
    Race {
        name: "re-INVITE crosses BYE",
        first: ANSWER,
        caller: HOLD,
        callee: HANG_UP,
        gap: 5,
        callee_learns: |facts| matches!(facts, [_, Fact::Confirmed]),
    },
    Race {
        name: "callee hangs up before the ACK arrives",
        first: |leg, ctx| {
            let mut out = leg.answer(media(Callee), ctx);
            out.extend(leg.hang_up(None, ctx));
            out
        },
        caller: |_, _| Vec::new(),
        callee: |_, _| Vec::new(),
        gap: 0,
        callee_learns: |facts| facts.len() == 1,
    },
];

#[test]
fn crossing_decisions_end_cleanly() {
    for race in RACES {
        for loss in [0, 0, 20, 40] {
            let mut pair = Pair::new(11 + loss);
            pair.dial(Some(media(Caller)));
            pair.run(50);
            pair.act(Callee, race.first);
            pair.run(100);
            pair.loss = loss;
            pair.act(Caller, race.caller);
            pair.run(race.gap);
            pair.act(Callee, race.callee);
            pair.run(1_000);
            if loss == 0 {
                assert!((race.callee_learns)(pair.facts(Callee)), "{}: {:?}", race.name, pair.facts(Callee));
            }
            pair.run(200_000);
            let states = [pair.state(Caller), pair.state(Callee)];
            assert_eq!(states, [State::Ended; 2], "{} with loss {loss}", race.name);
        }
    }
}

#[test]
fn two_offers_at_once_both_get_through_after_the_glare() {
    for seed in 0..20 {
        let mut pair = Pair::talking(seed);
        pair.act(Caller, HOLD);
        pair.act(Callee, HOLD_THERE);
        for _ in 0..200 {
            pair.run(50);
            for who in [Caller, Callee] {
                pair.act(who, |leg, ctx| leg.accept_offer(media(who), Direction::SendRecv, ctx));
            }
        }
        for who in [Caller, Callee] {
            let accepted =
                pair.facts(who).iter().filter(|fact| matches!(fact, Fact::OfferAccepted { .. })).count();
            assert_eq!(accepted, 1, "seed {seed}: {:?} {:?}", pair.facts(who), pair.said(who));
            assert!(pair.said(who).contains(&"491 INVITE".to_owned()), "seed {seed}");
        }
    }
}

#[test]
fn an_offer_waits_for_the_ack_and_for_the_one_before() {
    let mut pair = Pair::new(21);
    pair.dial(Some(media(Caller)));
    pair.run(50);
    pair.act(Callee, ANSWER);
    pair.act(Callee, HOLD_THERE);
    assert_eq!(pair.said(Callee), ["200 INVITE"]);
    pair.run(15);
    pair.run(30);
    pair.act(Callee, |leg, ctx| leg.offer(media(Callee), Direction::SendRecv, ctx));
    let accept = |pair: &mut Pair, who: Who| {
        pair.act(who, |leg, ctx| leg.accept_offer(media(who), Direction::SendRecv, ctx));
        pair.run(100);
    };
    accept(&mut pair, Caller);
    assert_eq!(pair.direction(Caller), Direction::RecvOnly);
    accept(&mut pair, Caller);
    assert_eq!(pair.direction(Caller), Direction::SendRecv);
    assert_eq!(pair.said(Callee), ["200 INVITE", "INVITE", "ACK", "INVITE", "ACK"]);
}

#[test]
fn a_lost_ack_to_a_second_200_is_said_again() {
    let mut pair = Pair::new(22);
    pair.eat = |message| message.is(&crate::Method::ACK);
    pair.dial(Some(media(Caller)));
    pair.run(50);
    pair.act(Callee, ANSWER);
    pair.run(5_000);
    assert_eq!(pair.state(Caller), State::Confirmed);
    assert!(!pair.facts(Callee).contains(&Fact::Confirmed));
    pair.eat = |_| false;
    pair.run(5_000);
    assert!(pair.facts(Callee).contains(&Fact::Confirmed));
    assert_eq!(pair.said(Caller), ["INVITE", "ACK"], "the ACK is the same one each time");
}

#[test]
fn no_ack_at_all_ends_the_call() {
    let mut pair = Pair::new(23);
    pair.eat = |message| message.is(&crate::Method::ACK);
    pair.dial(Some(media(Caller)));
    pair.run(50);
    pair.act(Callee, ANSWER);
    pair.run(40_000);
    assert_eq!(pair.facts(Callee).last(), Some(&Fact::AckMissing));
    assert!(matches!(pair.facts(Caller).last(), Some(Fact::HungUp { .. })));
}
