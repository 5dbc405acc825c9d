//! Holds the run's own ledger against the product's call records: every call has exactly one, and it says what the
//! caller lived.

mod length;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ledger::{Call, End, Offer};
use length::{Talk, undecided_ms};

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
        self.lines().next().is_none()
    }

    /// Each kind of difference with a word for it, whether there is one or not.
    pub(crate) fn kinds(&self) -> [(&'static str, &[String]); 6] {
        [
            ("no record", &self.missing),
            ("two records", &self.doubled),
            ("contradicted", &self.contradicted),
            ("not recorded", &self.unrecorded),
            ("of nobody", &self.unknown),
            ("not heard in the recording", &self.unheard),
        ]
    }

    /// Records that are there and tell another story, or of nobody, or lack a recording.
    pub fn wrong(&self) -> usize {
        self.contradicted.len() + self.unrecorded.len() + self.unknown.len()
    }

    /// Each difference with its kind, one a line.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let all = self.kinds().into_iter();
        all.flat_map(|(kind, list)| list.iter().map(move |one| format!("{kind}: {one}")))
    }
}

/// Compares finished calls with records (as `GET /cdrs` gives them).
pub fn compare(calls: &[Call], offers: &[Offer], records: &[Value], recorded: bool) -> Differences {
    let mut by_caller: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    records.iter().for_each(|record| by_caller.entry(caller(record)).or_default().push(record));
    let mut differences = Differences::default();
    let undecided_ms = undecided_ms(calls);
    for call in calls.iter().filter(|call| call.end != End::Unfinished) {
        differences.compared += 1;
        match by_caller.get(call.caller.as_str()).map(Vec::as_slice) {
            None | Some([]) => differences.missing.push(call.caller.clone()),
            Some([record]) => {
                differences.check(call, offers, record, recorded);
                differences.check_talk(call, offers, record, recorded, undecided_ms);
            }
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
        let answers: Vec<&Offer> = answers(call, offers).collect();
        let talked = talked(call);
        let found = [
            contradicted_outcome(call, talked, !answers.is_empty(), record),
            contradicted_agent(&answers, talked, record),
        ];
        let caller = &call.caller;
        self.contradicted.extend(found.into_iter().flatten().map(|what| format!("{caller}: {what}")));
        if recorded && talked && recordings(record).next().is_none() {
            self.unrecorded.push(caller.clone());
        }
    }

    fn check_talk(
        &mut self,
        call: &Call,
        offers: &[Offer],
        record: &Value,
        recorded: bool,
        undecided_ms: u64,
    ) {
        let answer = answers(call, offers).next().filter(|_| talked(call));
        let Some(talk) = answer.and_then(|answer| Talk::of(call, answer, undecided_ms)) else { return };
        let found = [
            talk.contradicted_pace(undecided_ms),
            talk.contradicted_time(record),
            talk.contradicted_length(record).filter(|_| recorded),
        ];
        self.contradicted.extend(found.into_iter().flatten().map(|what| format!("{}: {what}", call.caller)));
    }
}

fn talked(call: &Call) -> bool {
    call.end == End::Talked || call.end == End::Dropped
}

fn answers<'a>(call: &Call, offers: &'a [Offer]) -> impl Iterator<Item = &'a Offer> {
    offers.iter().filter(move |offer| offer.caller == call.caller && offer.answered_at.is_some())
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

fn recordings(record: &Value) -> impl Iterator<Item = &Value> {
    record["recordings"].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
