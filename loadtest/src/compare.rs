//! Holds the run's own ledger against the product's call records: every call has exactly one, and it says what the
//! caller lived.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ledger::{Call, End, Offer};

/// What does not agree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differences {
    /// Calls without a record.
    pub missing: Vec<String>,
    /// Calls with more than one.
    pub doubled: Vec<String>,
    /// Records that tell another story, with both.
    pub contradicted: Vec<String>,
    /// Answered calls without a recording.
    pub unrecorded: Vec<String>,
    /// Records of callers whom nobody of the run knows.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Recordings that were listened to and lack a side's tone (filled in by who can fetch them).
    #[serde(default)]
    pub unheard: Vec<String>,
    pub compared: usize,
}

impl Differences {
    /// Nothing is missing, doubled, contradicted or unknown.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
            && self.doubled.is_empty()
            && self.contradicted.is_empty()
            && self.unrecorded.is_empty()
            && self.unknown.is_empty()
            && self.unheard.is_empty()
    }
}

/// Compares finished calls with records (as `GET /cdrs` gives them).
pub fn compare(calls: &[Call], offers: &[Offer], records: &[Value], recorded: bool) -> Differences {
    let mut by_caller: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    records.iter().for_each(|record| by_caller.entry(caller(record)).or_default().push(record));
    let mut differences = Differences::default();
    for call in calls.iter().filter(|call| call.end != End::Unfinished) {
        differences.compared += 1;
        match by_caller.get(call.caller.as_str()).map(Vec::as_slice) {
            None | Some([]) => differences.missing.push(call.caller.clone()),
            Some([record]) => differences.check(call, offers, record, recorded),
            Some(_) => differences.doubled.push(call.caller.clone()),
        }
    }
    let known: BTreeSet<&str> =
        calls.iter().map(|c| c.caller.as_str()).chain(offers.iter().map(|o| o.caller.as_str())).collect();
    let unknown = by_caller.keys().filter(|caller| !known.contains(*caller));
    differences.unknown = unknown.map(|caller| (*caller).to_owned()).collect();
    differences
}

fn caller(record: &Value) -> &str {
    record["caller"].as_str().unwrap_or_default().trim_start_matches('+')
}

impl Differences {
    fn check(&mut self, call: &Call, offers: &[Offer], record: &Value, recorded: bool) {
        let answers: Vec<&Offer> =
            offers.iter().filter(|o| o.caller == call.caller && o.answered_at.is_some()).collect();
        let talked = call.end == End::Talked || call.end == End::Dropped;
        let found = [
            contradicted_outcome(call, talked, !answers.is_empty(), record),
            contradicted_agent(&answers, talked, record),
            answers
                .first()
                .filter(|_| recorded && talked)
                .and_then(|answer| contradicted_length(answer, record)),
        ];
        let caller = &call.caller;
        self.contradicted.extend(found.into_iter().flatten().map(|what| format!("{caller}: {what}")));
        if recorded && talked && recordings(record).next().is_none() {
            self.unrecorded.push(caller.clone());
        }
    }
}

/// An agent who picked up in the moment the caller gave up may be recorded either way.
fn contradicted_outcome(call: &Call, talked: bool, answered: bool, record: &Value) -> Option<String> {
    let outcome = record["outcome"].as_str().unwrap_or_default();
    let recorded = outcome == "answered";
    let contradicts = (talked && !recorded) || (recorded && !talked && !answered);
    contradicts.then(|| format!("lived {:?}, recorded {outcome}", call.end))
}

/// Exactly one agent answers a caller who talks, and the record names it.
fn contradicted_agent(answers: &[&Offer], talked: bool, record: &Value) -> Option<String> {
    let recorded = record["employee"].as_str().unwrap_or("nobody");
    match answers {
        [] => talked.then(|| "talked, but no agent answered".to_owned()),
        [answer] => (talked && answer.agent != recorded)
            .then(|| format!("answered by {}, recorded {recorded}", answer.agent)),
        several => {
            let names: Vec<&str> = several.iter().map(|answer| answer.agent.as_str()).collect();
            Some(format!("answered by {}", names.join(" and ")))
        }
    }
}

/// A recording lasts as long as the talk, within 2 % and 200 ms, and may be shorter by what it says is missing.
fn contradicted_length(answer: &Offer, record: &Value) -> Option<String> {
    let sum = |key: &str| recordings(record).filter_map(|one| one[key].as_u64()).sum::<u64>();
    let lived = answer.ended_at.saturating_sub(answer.answered_at?);
    let (lasts, missing, spare) = (sum("duration_ms"), sum("missing_ms"), lived / 50 + 200);
    let fits = (lived.saturating_sub(missing + spare)..=lived + spare).contains(&lasts);
    (!fits && recordings(record).next().is_some())
        .then(|| format!("talked {lived} ms, recorded {lasts} ms with {missing} ms missing"))
}

fn recordings(record: &Value) -> impl Iterator<Item = &Value> {
    record["recordings"].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
