//! The run's own account: one line per call as its caller lived it, and one per offer as an agent lived it. Both meet in
//! the caller's number, which is different for every call of a run.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

pub use crate::sound::{Counters, Silence};

/// How a call ended for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Talked to an agent, and one of them hung up as planned.
    Talked,
    /// The caller lost patience.
    GaveUp,
    /// Refused with this status before it was answered.
    Refused,
    /// Hung up on by the product before an agent answered.
    Turned,
    /// The talk ended though nobody hung up.
    Dropped,
    /// Still going on when the run ended.
    Unfinished,
}

/// A call as its caller lived it. Times are milliseconds since the INVITE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The caller's number.
    pub caller: String,
    /// Wall clock of the INVITE, milliseconds since 1970.
    pub at: u64,
    /// First answer above 100.
    pub setup_ms: Option<u64>,
    /// 200 OK.
    pub connected_ms: Option<u64>,
    pub ended_ms: u64,
    pub end: End,
    /// The caller ended the talk, or would have: the other side may have done so in the same moment.
    #[serde(default)]
    pub hung_up: bool,
    pub status: u16,
    /// Seconds after which it was asked to try again.
    #[serde(default)]
    pub retry_after: Option<u32>,
    pub sound: Counters,
    /// The tone of the agent it talked to was heard all along; none without sound or with too short a talk.
    pub heard_agent: Option<bool>,
    /// What it noticed of the talk's sound being away.
    #[serde(default)]
    pub silences: Vec<Silence>,
}

/// An offer as an agent lived it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    pub agent: String,
    pub caller: String,
    pub at: u64,
    /// Wall clock of the 200.
    pub answered_at: Option<u64>,
    /// Of its ACK: whom it answered talks with it from then on at the latest.
    #[serde(default)]
    pub confirmed_at: Option<u64>,
    pub ended_at: u64,
    pub sound: Counters,
    /// The caller's tone was heard all along; none without sound or with too short a talk.
    pub heard_caller: Option<bool>,
    /// What it noticed of the sound being away.
    #[serde(default)]
    pub silences: Vec<Silence>,
    pub hung_up: bool,
    /// The agent's own tone and its caller's.
    pub hertz: u32,
    pub caller_hertz: u32,
}

/// Shared by everybody who takes part.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    inner: Arc<Mutex<Book>>,
}

#[derive(Debug, Default, Clone)]
struct Book {
    calls: Vec<Call>,
    offers: Vec<Offer>,
    /// Agents in talk, by the caller's number: their tone and when they answered.
    talking: BTreeMap<String, Talk>,
    skipped: u64,
    live: u64,
}

/// An agent's side of a running talk.
#[derive(Debug, Clone)]
pub(crate) struct Talk {
    pub hertz: u32,
    /// The agent hung up: the end of the caller's leg is no drop.
    pub over: bool,
}

/// Sums for a progress line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub calls: u64,
    pub live: u64,
    pub talked: u64,
    pub gave_up: u64,
    pub failed: u64,
}

impl Ledger {
    pub(crate) fn began(&self) {
        self.inner.lock().live += 1;
    }

    pub(crate) fn skipped(&self) {
        self.inner.lock().skipped += 1;
    }

    pub(crate) fn call(&self, call: Call) {
        let mut book = self.inner.lock();
        book.live -= 1;
        book.talking.remove(&call.caller);
        book.calls.push(call);
    }

    pub(crate) fn offer(&self, offer: Offer) {
        self.inner.lock().offers.push(offer);
    }

    pub(crate) fn talks(&self, caller: &str, hertz: u32) {
        self.inner.lock().talking.insert(caller.to_owned(), Talk { hertz, over: false });
    }

    pub(crate) fn talk_over(&self, caller: &str) {
        if let Some(talk) = self.inner.lock().talking.get_mut(caller) {
            talk.over = true;
        }
    }

    pub(crate) fn talk(&self, caller: &str) -> Option<Talk> {
        self.inner.lock().talking.get(caller).cloned()
    }

    /// Whether this caller and an agent talk and neither has hung up: what one says the other must hear.
    pub(crate) fn is_talking(&self, caller: &str) -> bool {
        self.inner.lock().talking.get(caller).is_some_and(|talk| !talk.over)
    }

    /// Arrivals that the profile's limit kept out.
    pub fn skipped_count(&self) -> u64 {
        self.inner.lock().skipped
    }

    /// Callers on the line now.
    pub fn live(&self) -> u64 {
        self.inner.lock().live
    }

    pub fn calls(&self) -> Vec<Call> {
        self.inner.lock().calls.clone()
    }

    pub fn offers(&self) -> Vec<Offer> {
        self.inner.lock().offers.clone()
    }

    pub fn tally(&self) -> Tally {
        let book = self.inner.lock();
        let count = |ends: &[End]| book.calls.iter().filter(|call| ends.contains(&call.end)).count() as u64;
        Tally {
            calls: book.calls.len() as u64 + book.live,
            live: book.live,
            talked: count(&[End::Talked]),
            gave_up: count(&[End::GaveUp]),
            failed: count(&[End::Refused, End::Dropped]),
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
