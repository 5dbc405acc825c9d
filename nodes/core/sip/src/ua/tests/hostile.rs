//! Any message at any moment: a leg answers, ignores or ends, but never panics, and never stops telling
//! when it wants to be called again.

use proptest::prelude::*;

use super::far::{ANSWER, Far, described, invite, request, source};
use super::pair::{Callee, Caller, media};
use crate::sdp::Direction;
use crate::{Message, Method};

const METHODS: [Method; 13] = [
    Method::INVITE,
    Method::ACK,
    Method::BYE,
    Method::CANCEL,
    Method::PRACK,
    Method::UPDATE,
    Method::INFO,
    Method::REFER,
    Method::NOTIFY,
    Method::OPTIONS,
    Method::MESSAGE,
    Method::SUBSCRIBE,
    Method::REGISTER,
];

#[derive(Debug, Clone)]
enum Step {
    Decide(u8),
    Request { method: usize, cseq: u32, body: u8, extra: u8 },
    Response { to: prop::sample::Index, status: u16, tag: u8, body: u8, rseq: u32 },
    Wait(u32),
    Garbled { method: usize, cut: prop::sample::Index, byte: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0u8..17).prop_map(Step::Decide),
        3 => (0..METHODS.len(), 1u32..20, 0u8..4, 0u8..8)
            .prop_map(|(method, cseq, body, extra)| Step::Request { method, cseq, body, extra }),
        3 => (any::<prop::sample::Index>(), 100u16..700, 0u8..3, 0u8..4, 0u32..4)
            .prop_map(|(to, status, tag, body, rseq)| Step::Response { to, status, tag, body, rseq }),
        1 => (0u32..2_000_000).prop_map(Step::Wait),
        1 => (0..METHODS.len(), any::<prop::sample::Index>(), any::<u8>())
            .prop_map(|(method, cut, byte)| Step::Garbled { method, cut, byte }),
    ]
}

fn decide(far: &mut Far, choice: u8) {
    let (here, there) = (media(Caller), media(Callee));
    far.act(|leg, ctx| match choice {
        0 => leg.trying(ctx),
        1 => leg.ring(None, ctx),
        2 => leg.ring(Some(here), ctx),
        3 => leg.answer(here, ctx),
        4 => leg.answer(there, ctx),
        5 => leg.reject(486, None, None, ctx),
        6 => leg.hang_up(Some("Q.850;cause=16"), ctx),
        7 => leg.offer(here, Direction::SendOnly, ctx),
        8 => leg.offer(there, Direction::SendRecv, ctx),
        9 => leg.accept_offer(here, Direction::SendRecv, ctx),
        10 => leg.refuse_offer(488, ctx),
        11 => leg.accept_refer(100, ctx),
        12 => leg.refuse_refer(603, ctx),
        13 => leg.notify_refer(200, ctx),
        14 => leg.resume(ctx),
        15 => leg.failed(crate::ua::Failure::PrackMissing, ctx),
        _ => leg.failed(crate::ua::Failure::AckMissing, ctx),
    });
}

fn with_body(message: Message, body: u8) -> Message {
    match body {
        0 => message,
        1 => described(message),
        2 => message.with_body("application/sdp", b"v=0\r\nm=\r\n".to_vec()),
        _ => message.with_body("application/sdp", ANSWER.replace("4000", "4002").into()),
    }
}

fn with_extra(message: Message, extra: u8) -> Message {
    match extra {
        1 => message.with("Contact", "<sip:moved@203.0.113.10>"),
        2 => message.with("RAck", "1 5 INVITE"),
        3 => message.with("Refer-To", "<sip:102@acme.example?Replaces=x>"),
        4 => message.with("Supported", "timer").with("Session-Expires", "90;refresher=uas"),
        5 => message.with("Allow", "UPDATE"),
        6 => message.with("Session-Expires", "99999999999"),
        _ => message,
    }
}

fn take(far: &mut Far, step: Step) {
    match step {
        Step::Decide(choice) => decide(far, choice),
        Step::Request { method, cseq, body, extra } => {
            let message = request(far, METHODS[method].clone(), cseq);
            far.say(&with_extra(with_body(message, body), extra));
        }
        Step::Response { to, status, tag, body, rseq } => {
            if far.requests.is_empty() {
                return;
            }
            let tag = ["theirs", "b", "c"][usize::from(tag)];
            let message = with_body(far.answer_to(to.index(far.requests.len()), status, tag), body);
            far.say(&message.with("Require", "100rel").with("RSeq", rseq).with("Retry-After", rseq));
        }
        Step::Wait(time) => {
            far.now += u64::from(time);
            far.act(|leg, ctx| leg.timer(ctx));
            let due = far.leg.next_due();
            assert!(due.is_none_or(|at| at > far.now), "due at {due:?}, but it is {}", far.now);
        }
        Step::Garbled { method, cut, byte } => {
            let mut bytes = described(request(far, METHODS[method].clone(), 9)).to_bytes();
            let index = cut.index(bytes.len());
            bytes[index] = byte;
            if let Ok(message) = Message::parse(&bytes) {
                far.say(&message);
            }
        }
    }
}

fn check(mut far: Far, steps: Vec<Step>) {
    for step in steps {
        take(&mut far, step);
    }
    far.act(|leg, ctx| leg.hang_up(None, ctx));
    for _ in 0..20 {
        let Some(due) = far.leg.next_due() else { break };
        far.now = far.now.max(due);
        far.act(|leg, ctx| leg.timer(ctx));
    }
    assert!(far.leg.is_ended(), "{:?}", far.leg);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_called_leg_takes_anything(steps in prop::collection::vec(step(), 0..25), reliable: bool, offer: bool) {
        let mut invite = invite();
        if reliable {
            invite.push("Supported", "100rel");
        }
        if !offer {
            invite.body.clear();
        }
        check(Far::calling(&invite, source("203.0.113.9:5060")), steps);
    }

    #[test]
    fn a_calling_leg_takes_anything(steps in prop::collection::vec(step(), 0..25)) {
        check(Far::called("sip:101@203.0.113.9", "203.0.113.9:5060"), steps);
    }
}
