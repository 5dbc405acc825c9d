//! Holds the run's own ledger against the product's call records: every call has exactly one, and it says what the
//! caller lived.

use std::collections::BTreeMap;

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
    pub compared: usize,
}

impl Differences {
    /// Nothing is missing, doubled or contradicted.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
            && self.doubled.is_empty()
            && self.contradicted.is_empty()
            && self.unrecorded.is_empty()
    }
}

/// Compares finished calls with records (as `GET /cdrs` gives them).
pub fn compare(calls: &[Call], offers: &[Offer], records: &[Value], recorded: bool) -> Differences {
    let mut by_caller: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for record in records {
        by_caller
            .entry(record["caller"].as_str().unwrap_or_default().trim_start_matches('+'))
            .or_default()
            .push(record);
    }
    let mut differences = Differences::default();
    for call in calls.iter().filter(|call| call.end != End::Unfinished) {
        differences.compared += 1;
        match by_caller.get(call.caller.as_str()).map(Vec::as_slice) {
            None | Some([]) => differences.missing.push(call.caller.clone()),
            Some([record]) => differences.check(call, offers, record, recorded),
            Some(_) => differences.doubled.push(call.caller.clone()),
        }
    }
    differences
}

impl Differences {
    fn check(&mut self, call: &Call, offers: &[Offer], record: &Value, recorded: bool) {
        let outcome = record["outcome"].as_str().unwrap_or_default();
        let answered = offers.iter().any(|offer| offer.caller == call.caller && offer.answered_at.is_some());
        let talked = call.end == End::Talked || call.end == End::Dropped;
        let recorded_answer = outcome == "answered";
        // An agent who picked up in the moment the caller gave up may be recorded either way.
        if (talked && !recorded_answer) || (recorded_answer && !talked && !answered) {
            self.contradicted.push(format!("{}: lived {:?}, recorded {outcome}", call.caller, call.end));
        }
        let sound = record["recordings"].as_array().is_some_and(|list| !list.is_empty());
        if recorded && talked && !sound {
            self.unrecorded.push(call.caller.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ledger::Counters;

    fn call(caller: &str, end: End) -> Call {
        Call {
            caller: caller.into(),
            at: 0,
            setup_ms: Some(3),
            connected_ms: Some(5),
            ended_ms: 900,
            end,
            status: 200,
            sound: Counters::default(),
            heard_agent: None,
        }
    }

    fn record(caller: &str, outcome: &str) -> Value {
        json!({ "caller": caller, "outcome": outcome, "recordings": [] })
    }

    #[test]
    fn missing_doubled_and_contradicting_records_are_found() {
        let calls =
            [call("1", End::Talked), call("2", End::GaveUp), call("3", End::GaveUp), call("4", End::Talked)];
        let records = [
            record("1", "answered"),
            record("2", "abandoned"),
            record("2", "abandoned"),
            record("4", "abandoned"),
        ];
        let differences = compare(&calls, &[], &records, false);
        assert_eq!(differences.compared, 4);
        assert_eq!(differences.missing, ["3"]);
        assert_eq!(differences.doubled, ["2"]);
        assert_eq!(differences.contradicted, ["4: lived Talked, recorded abandoned"]);
        assert!(compare(&calls[..1], &[], &records[..1], false).is_empty());
        assert_eq!(compare(&calls[..1], &[], &records[..1], true).unrecorded, ["1"]);
    }
}
