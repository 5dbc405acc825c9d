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
        retry_after: None,
        sound: Counters::default(),
        heard_agent: None,
        silences: Vec::new(),
    }
}

/// An offer that was answered and lasted ten seconds.
fn offer(agent: &str, caller: &str) -> Offer {
    Offer {
        agent: agent.into(),
        caller: caller.into(),
        at: 0,
        answered_at: Some(1_000),
        ended_at: 11_000,
        sound: Counters::default(),
        heard_caller: None,
        silences: Vec::new(),
        hung_up: false,
        hertz: 1_000,
        caller_hertz: 300,
    }
}

fn record(caller: &str, outcome: &str) -> Value {
    json!({ "caller": caller, "outcome": outcome, "employee": "1000", "recordings": [] })
}

#[test]
fn missing_doubled_and_contradicting_records_are_found() {
    let calls =
        [call("1", End::Talked), call("2", End::GaveUp), call("3", End::GaveUp), call("4", End::Talked)];
    let offers = [offer("1000", "1"), offer("1000", "4")];
    let records = [
        record("+1", "answered"),
        record("2", "abandoned"),
        record("2", "abandoned"),
        record("4", "abandoned"),
    ];
    let differences = compare(&calls, &offers, &records, false);
    assert_eq!(differences.compared, 4);
    assert_eq!(differences.missing, ["3"]);
    assert_eq!(differences.doubled, ["2"]);
    assert_eq!(differences.contradicted, ["4: lived Talked, recorded abandoned"]);
    assert!(compare(&calls[..1], &offers, &records[..1], false).is_empty());
    assert_eq!(compare(&calls[..1], &offers, &records[..1], true).unrecorded, ["1"]);
}

#[test]
fn a_record_of_nobodys_call_is_unknown_and_one_of_an_agents_other_caller_is_not() {
    let records = [record("1", "answered"), record("7", "answered"), record("8", "abandoned")];
    let offers = [offer("1000", "1"), offer("1001", "7")];
    let differences = compare(&[call("1", End::Talked)], &offers, &records, false);
    assert_eq!(differences.unknown, ["8"]);
    assert!(!differences.is_empty());
}

#[test]
fn the_agent_of_the_record_is_the_one_who_answered_and_the_only_one() {
    let contradicted = |offers: &[Offer]| {
        compare(&[call("1", End::Talked)], offers, &[record("1", "answered")], false).contradicted
    };
    assert_eq!(contradicted(&[offer("1001", "1")]), ["1: answered by 1001, recorded 1000"]);
    let both = [offer("1000", "1"), offer("1001", "1")];
    assert_eq!(contradicted(&both), ["1: answered by 1000 and 1001"]);
    assert_eq!(contradicted(&[]), ["1: talked, but no agent answered"]);
    assert_eq!(contradicted(&[offer("1000", "1")]), [""; 0]);
}

#[test]
fn a_recording_is_as_long_as_the_talk_but_for_what_it_says_is_missing() {
    let contradicted = |duration_ms: u64, missing_ms: u64| {
        let mut record = record("1", "answered");
        record["recordings"] = json!([{ "duration_ms": duration_ms, "missing_ms": missing_ms }]);
        compare(&[call("1", End::Talked)], &[offer("1000", "1")], &[record], true).contradicted
    };
    assert_eq!(contradicted(10_000, 0), [""; 0]);
    assert_eq!(contradicted(9_600, 0), [""; 0]);
    assert_eq!(contradicted(9_500, 0), ["1: talked 10000 ms, recorded 9500 ms with 0 ms missing"]);
    assert_eq!(contradicted(7_700, 2_000), [""; 0]);
    assert_eq!(contradicted(10_400, 0), [""; 0]);
    assert_eq!(contradicted(10_500, 3_000), ["1: talked 10000 ms, recorded 10500 ms with 3000 ms missing"]);
}
