//! Two legs, an edge each, and a network between them, in virtual time. After every step each leg goes
//! through its serialised form, so that every test proves that it continues equally from there.

mod edge;
mod script;

use std::collections::BTreeMap;

use crate::sdp::{Direction, MediaAddress, Security, g711};
use crate::ua::{Call, Ctx, Fact, Failure, Leg, Outgoing, Output, State, Target};
use crate::{Destination, Local, Message, NameAddr, Replacing, Seed, Source, Transport, Uri};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Caller,
    Callee,
}
pub(super) use Who::{Callee, Caller};

impl Who {
    fn other(self) -> Who {
        if self == Caller { Callee } else { Caller }
    }

    fn address(self) -> &'static str {
        if self == Caller { "192.0.2.1:5060" } else { "192.0.2.2:5060" }
    }
}

pub(super) fn media(who: Who) -> MediaAddress {
    let ip = if who == Caller { "198.51.100.1" } else { "198.51.100.2" };
    MediaAddress { ip: ip.parse().unwrap(), port: 20_000 }
}

/// Repeats `bytes` at doubling distances until it is stopped.
#[derive(Debug, Clone)]
struct Repeat {
    bytes: Vec<u8>,
    at: u64,
    wait: u64,
    until: u64,
    /// Tell the leg when it was in vain.
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Side {
    leg: Option<Leg>,
    local: Local,
    facts: Vec<Fact>,
    sent: Vec<Message>,
    /// By branch and method, both for what we ask and what we answer.
    repeats: BTreeMap<String, Repeat>,
    answers: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug)]
pub(super) struct Pair {
    pub(super) now: u64,
    seed: Seed,
    chance: Seed,
    /// Messages lost, in percent.
    pub(super) loss: u64,
    /// Drops every message for which it says so.
    pub(super) eat: fn(&Message) -> bool,
    sides: BTreeMap<Who, Side>,
    wire: Vec<(u64, Who, Vec<u8>)>,
}

fn key(message: &Message) -> String {
    format!("{} {}", message.branch().unwrap_or_default(), message.method())
}

impl Pair {
    pub(super) fn new(seed: u64) -> Self {
        let side = |who: Who| Side {
            leg: None,
            local: Local {
                contact_host: who.address().into(),
                contact_user: format!("acme.leg_{who:?}").to_lowercase(),
                user_agent: "mangrove/test".into(),
                domain: "acme.example".into(),
                replaces: Replacing::Unknown,
                fax: true,
            },
            facts: Vec::new(),
            sent: Vec::new(),
            repeats: BTreeMap::new(),
            answers: BTreeMap::new(),
        };
        Self {
            now: 1_000,
            seed: Seed::new(seed),
            chance: Seed::new(seed ^ 0x55),
            loss: 0,
            eat: |_| false,
            sides: [Caller, Callee].map(|who| (who, side(who))).into(),
            wire: Vec::new(),
        }
    }

    /// The caller calls.
    pub(super) fn dial(&mut self, offer: Option<MediaAddress>) {
        let call = Call {
            target: Target {
                uri: Uri::parse("sip:101@192.0.2.2").unwrap(),
                route: Vec::new(),
                destination: Destination::new(Transport::Udp, Callee.address().parse().unwrap()),
            },
            from: NameAddr::parse("\"Anna\" <sip:100@acme.example>").unwrap(),
            to: NameAddr::parse("<sip:101@acme.example>").unwrap(),
            offer,
            codecs: g711().to_vec(),
            security: Security::Off,
            ours: None,
            webrtc: None,
            headers: Vec::new(),
        };
        let side = self.sides.get_mut(&Caller).unwrap();
        let mut ctx = Ctx { now: self.now, seed: &mut self.seed, local: &side.local };
        let (leg, out) = Leg::outgoing(call, &mut ctx);
        side.leg = Some(leg);
        self.carry_out(Caller, out);
    }

    /// A call up to `Confirmed` on both sides.
    pub(super) fn talking(seed: u64) -> Self {
        let mut pair = Self::new(seed);
        pair.dial(Some(media(Caller)));
        pair.run(100);
        pair.act(Callee, |leg, ctx| leg.answer(media(Callee), ctx));
        pair.run(100);
        assert_eq!([pair.state(Caller), pair.state(Callee)], [State::Confirmed; 2]);
        pair.forget();
        pair
    }

    /// A decision on one side.
    pub(super) fn act(&mut self, who: Who, decide: impl FnOnce(&mut Leg, &mut Ctx<'_>) -> Vec<Output>) {
        let side = self.sides.get_mut(&who).unwrap();
        let mut leg = reborn(side.leg.as_ref().expect("the leg exists by now"));
        let mut ctx = Ctx { now: self.now, seed: &mut self.seed, local: &side.local };
        let out = decide(&mut leg, &mut ctx);
        side.leg = Some(leg);
        self.carry_out(who, out);
    }

    pub(super) fn leg(&self, who: Who) -> &Leg {
        self.sides[&who].leg.as_ref().expect("the leg exists by now")
    }

    pub(super) fn state(&self, who: Who) -> State {
        self.leg(who).state()
    }

    pub(super) fn facts(&self, who: Who) -> &[Fact] {
        &self.sides[&who].facts
    }

    /// What one side sent for the first time, as `METHOD` or `status METHOD`.
    pub(super) fn said(&self, who: Who) -> Vec<String> {
        self.sides[&who].sent.iter().map(title).collect()
    }

    pub(super) fn sent(&self, who: Who) -> &[Message] {
        &self.sides[&who].sent
    }

    pub(super) fn direction(&self, who: Who) -> Direction {
        self.leg(who).audio().unwrap().direction
    }

    /// Forgets what was noted so far.
    pub(super) fn forget(&mut self) {
        for side in self.sides.values_mut() {
            side.facts.clear();
            side.sent.clear();
        }
    }

    /// The edge of one side is replaced: it remembers nothing; the leg says what it owes.
    pub(super) fn replace_edge(&mut self, who: Who) {
        let side = self.sides.get_mut(&who).unwrap();
        side.repeats.clear();
        side.answers.clear();
        let ctx = Ctx { now: self.now, seed: &mut self.seed, local: &side.local };
        let Some(leg) = &side.leg else { return };
        let out = leg.resume(&ctx);
        assert!(out.iter().all(|output| matches!(output, Output::Send(_))));
        self.carry_out(who, out);
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, duration: u64) {
        let end = self.now + duration;
        for _ in 0..100_000 {
            let Some(next) = self.next_event().filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            self.deliver();
            self.repeat();
            self.timers();
        }
        panic!("time does not go on at {}: {:?}", self.now, self.sides);
    }

    fn next_event(&self) -> Option<u64> {
        let wire = self.wire.iter().map(|(at, _, _)| *at);
        let repeats = self.sides.values().flat_map(|side| side.repeats.values().map(|repeat| repeat.at));
        let legs = self.sides.values().filter_map(|side| side.leg.as_ref()?.next_due());
        wire.chain(repeats).chain(legs).min()
    }

    fn timers(&mut self) {
        for who in [Caller, Callee] {
            let due = self.sides[&who].leg.as_ref().and_then(Leg::next_due);
            if due.is_some_and(|at| at <= self.now) {
                self.act(who, Leg::timer);
            }
        }
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (due, later) = std::mem::take(&mut self.wire).into_iter().partition(|(at, _, _)| *at <= now);
        self.wire = later;
        for (_, to, bytes) in due {
            let message = Message::parse(&bytes).expect("what we send can be read");
            if self.chance.below(100) < self.loss || (self.eat)(&message) {
                continue;
            }
            if message.is_request() {
                self.take_request(to, message)
            } else {
                self.take_response(to, message)
            }
        }
    }

    /// To the leg; a first INVITE makes one.
    fn hand(&mut self, to: Who, message: Message) {
        let source = Source {
            transport: Transport::Udp,
            remote: to.other().address().parse().unwrap(),
            local: to.address().parse().unwrap(),
            flow: None,
        };
        let side = self.sides.get_mut(&to).unwrap();
        if side.leg.is_some() {
            return self.act(to, |leg, ctx| leg.receive(&message, &source, ctx));
        }
        let mut ctx = Ctx { now: self.now, seed: &mut self.seed, local: &side.local };
        let out = match Leg::incoming(&message, &source, &g711(), Security::Off, &mut ctx) {
            Ok((leg, out)) => {
                side.leg = Some(leg);
                out
            }
            Err(reject) => vec![reject.response(&message, &source, &mut ctx)],
        };
        self.carry_out(to, out);
    }

    fn carry_out(&mut self, who: Who, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Fact(fact) => self.sides.get_mut(&who).unwrap().facts.push(fact),
                Output::Send(Outgoing::Request { branch, method, message, .. }) => {
                    self.send_request(who, &branch, &method, &message);
                }
                Output::Send(Outgoing::Response { message, .. }) => self.send_response(who, message.to_vec()),
            }
        }
    }
}

impl Side {
    fn note(&mut self, bytes: &[u8]) {
        let message = Message::parse(bytes).unwrap();
        if !self.sent.contains(&message) {
            self.sent.push(message);
        }
    }
}

fn title(message: &Message) -> String {
    match message.status() {
        Some(status) => format!("{status} {}", message.method()),
        None => message.method().to_string(),
    }
}

/// The leg as another node gets it.
pub(super) fn reborn(leg: &Leg) -> Leg {
    let text = serde_json::to_string(leg).unwrap();
    let again: Leg = serde_json::from_str(&text).unwrap();
    assert!(&again == leg, "a leg continues equally from its serialised form");
    again
}
