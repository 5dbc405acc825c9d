//! An employee as the rules see one: what they chose to do, what a call makes of them, and where their phones are.
//! Whether they may be offered a call is [`Agent::is_assignable`]; who rings them is not decided here.

use std::collections::BTreeMap;

use mangrove_proto::{
    id::{CallId, EmployeeId},
    live::AgentState,
};
use serde::{Deserialize, Serialize};

use crate::{ask::Asks, broken, day::Daily, registration::Registration, stamp::Moment};

/// The reason of a break that the rules made.
const NO_ANSWER: &str = "no-answer";

/// What a person chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chosen {
    /// Takes calls.
    Available,
    /// Takes none for a while, and why.
    Break(Option<String>),
    /// Gone.
    Offline,
}

/// The one call that has a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engagement {
    /// Which call.
    pub call: CallId,
    /// The offer that reserved the person: the fence against late answers. 0 for calls of their own.
    pub offer: u64,
    /// Whether the phone still rings.
    pub ringing: bool,
}

impl Engagement {
    /// Of a call that the person makes.
    pub(crate) fn own(call: CallId) -> Self {
        Self { call, offer: 0, ringing: false }
    }
}

/// One employee, serving groups or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Who.
    pub id: EmployeeId,
    /// What they chose.
    pub chosen: Chosen,
    /// The call that has them.
    pub engaged: Option<Engagement>,
    /// The call of their own that they make beside it, to ask somebody. None without the other one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consults: Option<CallId>,
    /// After-call work until then.
    pub wrap_up: Option<u64>,
    /// No offers before then: a missed or refused one was just made.
    pub pause: Option<u64>,
    /// Offers missed in a row.
    pub misses: u32,
    /// Since when free of calls and of missed offers, for `longest-idle`.
    pub idle_since: u64,
    /// Since when in the present state.
    pub since: Moment,
    /// Calls answered today.
    pub answered: Daily<u64>,
    /// By the name of the device.
    pub phones: BTreeMap<String, Registration>,
    /// What was asked of the rules about the person.
    #[serde(default, skip_serializing_if = "Asks::is_empty")]
    pub asks: Asks,
}

impl Agent {
    pub(crate) fn new(id: EmployeeId, at: Moment) -> Self {
        Self {
            id,
            chosen: Chosen::Available,
            engaged: None,
            consults: None,
            wrap_up: None,
            pause: None,
            misses: 0,
            idle_since: at.now,
            since: at,
            answered: Daily::default(),
            phones: BTreeMap::new(),
            asks: Asks::default(),
        }
    }

    /// What the person does now.
    pub fn state(&self) -> AgentState {
        match (&self.engaged, self.wrap_up, &self.chosen) {
            (Some(Engagement { ringing: true, .. }), ..) => AgentState::Ringing,
            (Some(_), ..) => AgentState::Busy,
            (None, Some(_), _) => AgentState::WrapUp,
            (None, None, Chosen::Available) => AgentState::Available,
            (None, None, Chosen::Break(_)) => AgentState::Break,
            (None, None, Chosen::Offline) => AgentState::Offline,
        }
    }

    /// The reason that goes with a break.
    pub fn reason(&self) -> Option<&str> {
        match &self.chosen {
            Chosen::Break(reason) if self.state() == AgentState::Break => reason.as_deref(),
            _ => None,
        }
    }

    /// Whether at least one phone can be rung.
    pub fn is_reachable(&self, now: u64) -> bool {
        self.phones.values().any(|phone| phone.is_live(now))
    }

    /// Since when free for their groups' callers, reachable at this instant or not; none: they are not.
    pub(crate) fn ready_since(&self) -> Option<u64> {
        let free = self.state() == AgentState::Available || broken::ignores_reservations();
        (free && !self.phones.is_empty()).then_some(self.idle_since)
    }

    /// Whether a group may offer a call now.
    pub fn is_assignable(&self, now: u64) -> bool {
        (self.state() == AgentState::Available || broken::ignores_reservations())
            && self.pause.is_none_or(|until| until <= now)
            && self.is_reachable(now)
    }

    /// Whether the person is at work for their groups, be it in a call or on a break.
    pub fn is_present(&self, now: u64) -> bool {
        self.chosen != Chosen::Offline && self.is_reachable(now)
    }

    /// The next instant at which something about the person changes by itself.
    pub fn due(&self) -> Option<u64> {
        let expiry = self.phones.values().filter_map(Registration::next_expiry).min();
        [self.wrap_up, self.pause, expiry].into_iter().flatten().min()
    }

    /// Whether the call is one of theirs.
    pub(crate) fn has(&self, call: CallId) -> bool {
        self.consults == Some(call) || self.engaged.is_some_and(|engaged| engaged.call == call)
    }

    /// The calls that have them: none, one, or the one that they make beside the other too.
    pub(crate) fn calls(&self) -> impl Iterator<Item = CallId> + use<> {
        self.engaged.map(|engaged| engaged.call).into_iter().chain(self.consults)
    }

    /// The call lets go of the person, if it has them. What they called beside it is the call that has them then.
    pub(crate) fn release(&mut self, call: CallId, now: u64) {
        if self.consults == Some(call) {
            self.consults = None;
            return;
        }
        let Some(engaged) = self.engaged.filter(|engaged| engaged.call == call) else { return };
        self.engaged = self.consults.take().map(Engagement::own);
        if !engaged.ringing && self.engaged.is_none() {
            self.idle_since = now;
        }
    }

    /// Their part in one call goes on in another.
    pub(crate) fn go_over(&mut self, from: CallId, to: CallId) {
        if let Some(engaged) = self.engaged.as_mut().filter(|engaged| engaged.call == from) {
            engaged.call = to;
        }
        if self.consults == Some(from) {
            self.consults = Some(to);
        }
    }

    /// An offer rang in vain. `limit` of them in a row make a break; 0: never.
    pub(crate) fn miss(&mut self, limit: u32, now: u64, pause_ms: u64) {
        self.misses = self.misses.saturating_add(1);
        self.pause = Some(now.saturating_add(pause_ms));
        self.idle_since = now;
        if limit != 0 && self.misses >= limit && self.chosen == Chosen::Available {
            self.chosen = Chosen::Break(Some(NO_ANSWER.into()));
            self.misses = 0;
        }
    }
}
