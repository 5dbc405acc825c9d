//! What a run came to: its faults, and what callers, agents and the call records say of them. Pure but for the file.

mod alone;
mod fault;

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use mangrove_loadtest::{
    compare::{Differences, compare},
    ledger::{Call, End, Offer, Silence},
    report::Spread,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use fault::Fault;

use super::{
    Layout, Net, Row,
    demand::{self, Told},
    hall::{Closed, caller},
};

/// Under which a run was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    pub date: String,
    pub commit: String,
    pub machine: String,
    pub command: String,
    /// `release` or `debug`.
    pub binary: String,
    pub calls: usize,
    pub rate: f64,
}

/// A time in which nothing was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quiet {
    pub seconds: u64,
    /// Of all groups.
    pub elections: u64,
}

/// What was run where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) row: Row,
    pub(super) layout: Layout,
    pub(super) net: Net,
}

/// A row in a layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub row: Row,
    pub layout: Layout,
    #[serde(default = "Net::usual")]
    pub net: Net,
    pub conditions: Conditions,
    pub faults: Vec<Fault>,
    pub calls: usize,
    pub talked: usize,
    /// Established calls that ended though nobody hung up, with what each lived.
    pub lost: Vec<String>,
    /// Callers in line on whom the product hung up, or who were never heard of again.
    pub lost_in_line: Vec<String>,
    /// Agents who talked with nobody: their caller had long gone.
    #[serde(default)]
    pub alone: Vec<String>,
    /// New calls that failed, by the status they got.
    pub refused: BTreeMap<u16, usize>,
    /// INVITE until the first answer above 100, milliseconds: how long nobody decided.
    pub setup: Spread,
    pub leader: Spread,
    /// From a fault's end until all was as before, milliseconds.
    #[serde(default)]
    pub settled: Spread,
    #[serde(default)]
    pub quiet: Option<Quiet>,
    /// What those heard who called while a fault lasted.
    #[serde(default)]
    pub told: Told,
    /// Sides of talks that lived through a fault.
    pub hit: usize,
    /// What these noticed: silences over 200 ms that began with a fault, and those later, when the victims came back.
    pub gap: Spread,
    pub gap_back: Spread,
    /// The longest silence of any talk, milliseconds.
    #[serde(default)]
    pub longest: u64,
    /// Sides of a talk which in the end did not hear the other.
    pub deaf: usize,
    /// Of calls that were answered or waited; those that were refused are not asked for.
    pub differences: Differences,
    pub trouble: Vec<String>,
}

impl Outcome {
    /// Sums up.
    pub(super) fn of(
        Place { row, layout, net }: Place,
        conditions: Conditions,
        faults: Vec<Fault>,
        quiet: Option<Quiet>,
        closed: &Closed,
        trouble: Vec<String>,
    ) -> Self {
        let (calls, offers) = (closed.ledger.calls(), closed.ledger.offers());
        let taken: Vec<Call> = calls.iter().filter(|call| call.end != End::Refused).cloned().collect();
        let lived = |ends: &[End]| {
            let those = calls.iter().filter(|call| ends.contains(&call.end));
            let line = |call: &Call| format!("{}; {}", life(call, &offers, &faults), recorded(call, closed));
            those.map(line).collect::<Vec<_>>()
        };
        let mut lost_in_line = lived(&[End::Turned, End::Unfinished]);
        lost_in_line
            .extend((0..closed.ledger.live()).map(|_| "still on the line at the end of the run".to_owned()));
        let (gap, back) =
            silences(&calls, &offers).partition(|one| faults.iter().any(|fault| fault.caused(one)));
        let sides =
            calls.iter().map(|call| call.heard_agent).chain(offers.iter().map(|offer| offer.heard_caller));
        let mut differences = compare(&taken, &offers, &closed.records, true);
        differences.unknown.retain(|caller| !calls.iter().any(|call| call.caller == *caller));
        Self {
            row,
            layout,
            net,
            conditions,
            calls: calls.len(),
            talked: calls.iter().filter(|call| call.end == End::Talked).count(),
            lost: lived(&[End::Dropped]),
            lost_in_line,
            alone: alone::alone(&calls, &offers, &faults),
            refused: refused(&calls),
            setup: Spread::of(calls.iter().filter_map(|call| call.setup_ms).collect()),
            leader: Spread::of(faults.iter().filter_map(|fault| fault.leader_ms).collect()),
            settled: Spread::of(faults.iter().map(|fault| fault.settled_ms).collect()),
            quiet,
            told: Told::of(&calls, &faults),
            hit: hit(&offers, &faults),
            gap: spread(gap),
            gap_back: spread(back),
            longest: longest(&calls, &offers),
            deaf: sides.filter(|heard| *heard == Some(false)).count(),
            differences,
            trouble,
            faults,
        }
    }

    /// `row-4-apart`, and `row-4-apart-machines` of a row that needs none.
    pub fn name(&self) -> String {
        let name = format!("row-{}-{}", self.row.number(), self.layout);
        if self.net == self.row.net_at_least() { name } else { format!("{name}-{}", self.net) }
    }

    /// Late commands that were refused, over all faults.
    pub fn late(&self) -> u64 {
        self.faults.iter().map(|fault| fault.late).sum()
    }

    /// Callers whose place got worse, over all faults.
    pub fn worse(&self) -> usize {
        self.faults.iter().map(|fault| fault.worse.len()).sum()
    }

    /// What of the row's own pass numbers was not reached, a sentence each.
    pub fn shortfalls(&self) -> Vec<String> {
        demand::shortfalls(self)
    }

    /// Nothing is lost, and the row's own numbers are reached.
    pub fn is_clean(&self) -> bool {
        self.has_lost_nothing() && self.shortfalls().is_empty()
    }

    /// Nobody lost a call, a place or a record, no agent was left alone, and every fault was got over.
    pub fn has_lost_nothing(&self) -> bool {
        let Differences { missing, doubled, .. } = &self.differences;
        let lost = self.lost.len() + self.lost_in_line.len() + self.alone.len();
        lost + self.worse() + missing.len() + doubled.len() == 0 && self.trouble.is_empty()
    }

    /// Writes `outcome.json` into this folder.
    pub(super) fn keep(&self, folder: &Path) -> Result<()> {
        let path = folder.join("outcome.json");
        std::fs::write(&path, serde_json::to_vec_pretty(self)?).with_context(|| path.display().to_string())
    }
}

fn refused(calls: &[Call]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for call in calls.iter().filter(|call| call.end == End::Refused) {
        *counts.entry(call.status).or_default() += 1;
    }
    counts
}

/// A line on a call that went wrong, in relation to the last fault before its end.
fn life(call: &Call, offers: &[Offer], faults: &[Fault]) -> String {
    let end = call.at + call.ended_ms;
    let fault = faults.iter().enumerate().rev().find(|(_, fault)| fault.at <= end);
    let after = fault.map_or("before any fault".into(), |(number, fault)| {
        format!("{} ms after fault {} ({})", end - fault.at, number + 1, fault.victims.join(", "))
    });
    let talks: Vec<_> = offers.iter().filter(|offer| offer.caller == call.caller).collect();
    let agents: Vec<_> = talks.iter().map(|offer| offer.agent.as_str()).collect();
    let Call { caller, end, status, ended_ms, .. } = call;
    format!("{caller}: {end:?} ({status}) {ended_ms} ms after its INVITE, {after}; offered to {agents:?}")
}

/// How its record says that a call ended.
fn recorded(call: &Call, closed: &Closed) -> String {
    let is_its = |record: &&Value| caller(record) == Some(call.caller.as_str());
    let Some(record) = closed.records.iter().find(is_its) else { return "no record".into() };
    format!("recorded: {}, ended by {}, employee {}", record["cause"], record["ended_by"], record["employee"])
}

/// Both sides of talks that went on in the moment of a fault.
fn hit(offers: &[Offer], faults: &[Fault]) -> usize {
    let hit = |offer: &&Offer| {
        let began = offer.answered_at.unwrap_or(u64::MAX);
        faults.iter().any(|fault| began < fault.at && fault.at < offer.ended_at)
    };
    offers.iter().filter(hit).count() * 2
}

/// Of all talks, each side's.
fn silences<'a>(calls: &'a [Call], offers: &'a [Offer]) -> impl Iterator<Item = Silence> + 'a {
    let callers = calls.iter().flat_map(|call| &call.silences);
    callers.chain(offers.iter().flat_map(|offer| &offer.silences)).copied()
}

fn longest(calls: &[Call], offers: &[Offer]) -> u64 {
    let sounds = calls.iter().map(|call| &call.sound).chain(offers.iter().map(|offer| &offer.sound));
    sounds.map(|sound| sound.gap_ms).max().unwrap_or_default()
}

fn spread(silences: Vec<Silence>) -> Spread {
    Spread::of(silences.iter().map(|silence| silence.ms).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run that found nothing.
    pub(crate) fn outcome() -> Outcome {
        let conditions = Conditions {
            date: "2026-01-01".into(),
            commit: "abc".into(),
            machine: "2 CPUs".into(),
            command: "make chaos".into(),
            binary: "debug".into(),
            calls: 30,
            rate: 1.5,
        };
        Outcome {
            row: Row::Leader,
            layout: Layout::Apart,
            net: Net::Loopback,
            conditions,
            faults: Vec::new(),
            calls: 7,
            talked: 6,
            lost: Vec::new(),
            lost_in_line: Vec::new(),
            alone: Vec::new(),
            refused: BTreeMap::new(),
            setup: Spread::default(),
            leader: Spread::default(),
            settled: Spread::default(),
            quiet: None,
            told: Told::default(),
            gap: Spread::default(),
            hit: 0,
            gap_back: Spread::default(),
            longest: 0,
            deaf: 0,
            differences: Differences::default(),
            trouble: Vec::new(),
        }
    }

    #[test]
    fn a_row_on_machines_that_needs_none_has_a_name_of_its_own() {
        let name = |row, net| Outcome { row, net, ..outcome() }.name();
        assert_eq!(name(Row::Leader, Net::Loopback), "row-4-apart");
        assert_eq!(name(Row::Leader, Net::Machines), "row-4-apart-machines");
        assert_eq!(name(Row::EdgesCut, Net::Machines), "row-10e-apart");
    }
}
