//! What a run came to, for machines (JSON) and for people (HTML with charts, no scripts, nothing loaded from elsewhere).

mod html;
mod verdict;

use serde::{Deserialize, Serialize};

use crate::{
    compare::Differences,
    ledger::{Call, End, Ledger, Offer},
    profile::Profile,
};

/// The figures of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub profile: Profile,
    pub calls: usize,
    pub skipped: u64,
    pub talked: usize,
    pub gave_up: usize,
    pub turned: usize,
    pub refused: usize,
    pub dropped: usize,
    pub unfinished: usize,
    /// INVITE until the first answer above 100, milliseconds.
    pub setup: Spread,
    /// INVITE until an agent answered, milliseconds.
    pub answer: Spread,
    /// The longest silence in each talk, of both sides, milliseconds.
    #[serde(default)]
    pub gap: Spread,
    pub packets_sent: u64,
    pub packets_received: u64,
    pub packets_lost: u64,
    /// Talks in which the tone of the other side was heard, of those where sound was measured.
    pub caller_heard_agent: Share,
    pub agent_heard_caller: Share,
    /// Against the product's call records, where they were asked for.
    pub differences: Option<Differences>,
}

/// A distribution.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub count: usize,
    pub p50: u64,
    pub p95: u64,
    pub p99: u64,
    pub max: u64,
    /// Counts in equal steps from 0 to `max`.
    pub histogram: Vec<usize>,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub yes: usize,
    pub of: usize,
}

const BARS: usize = 30;

impl Spread {
    /// Of values in any order.
    pub fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let Some(max) = values.last().copied() else { return Self::default() };
        // The smallest value that so many do not exceed: of few, the 99th percentile is the greatest.
        let at = |share: f64| values[((values.len() as f64 * share).ceil() as usize).max(1) - 1];
        let mut histogram = vec![0; BARS];
        for value in &values {
            histogram[(value * (BARS as u64 - 1)).checked_div(max).unwrap_or(0) as usize] += 1;
        }
        Self { count: values.len(), p50: at(0.5), p95: at(0.95), p99: at(0.99), max, histogram }
    }
}

impl Share {
    fn of(answers: impl Iterator<Item = Option<bool>>) -> Self {
        answers
            .flatten()
            .fold(Self::default(), |share, yes| Self { yes: share.yes + usize::from(yes), of: share.of + 1 })
    }
}

impl Report {
    /// Sums up a ledger.
    pub fn of(profile: Profile, ledger: &Ledger, differences: Option<Differences>) -> Self {
        let (calls, offers) = (ledger.calls(), ledger.offers());
        let count = |end: End| calls.iter().filter(|call| call.end == end).count();
        let sound = |field: fn(&crate::ledger::Counters) -> u64| {
            calls
                .iter()
                .map(|call| field(&call.sound))
                .chain(offers.iter().map(|offer| field(&offer.sound)))
                .sum()
        };
        Self {
            profile,
            calls: calls.len(),
            skipped: ledger.skipped_count(),
            talked: count(End::Talked),
            gave_up: count(End::GaveUp),
            turned: count(End::Turned),
            refused: count(End::Refused),
            dropped: count(End::Dropped),
            unfinished: count(End::Unfinished) + ledger.live() as usize,
            setup: Spread::of(calls.iter().filter_map(|call| call.setup_ms).collect()),
            answer: Spread::of(answer_times(&calls, &offers)),
            gap: Spread::of(gaps(&calls, &offers)),
            packets_sent: sound(|counters| counters.sent),
            packets_received: sound(|counters| counters.received),
            packets_lost: sound(|counters| counters.lost),
            caller_heard_agent: Share::of(calls.iter().map(|call| call.heard_agent)),
            agent_heard_caller: Share::of(offers.iter().map(|offer| offer.heard_caller)),
            differences,
        }
    }

    /// A page that stands alone.
    pub fn html(&self) -> String {
        html::page(self)
    }
}

/// Of talks in which there was sound.
fn gaps(calls: &[Call], offers: &[Offer]) -> Vec<u64> {
    let callers = calls.iter().filter(|call| call.heard_agent.is_some()).map(|call| call.sound.gap_ms);
    let agents = offers.iter().filter(|offer| offer.heard_caller.is_some()).map(|offer| offer.sound.gap_ms);
    callers.chain(agents).collect()
}

fn answer_times(calls: &[Call], offers: &[Offer]) -> Vec<u64> {
    let answered = |call: &Call| {
        let offer = offers.iter().find(|offer| offer.caller == call.caller && offer.answered_at.is_some())?;
        Some(offer.answered_at?.saturating_sub(call.at))
    };
    calls.iter().filter_map(answered).collect()
}

#[cfg(test)]
mod tests;
