use serde_json::json;

use super::*;
use crate::ledger::Counters;

fn call(caller: &str, end: End) -> Call {
    Call {
        caller: caller.into(),
        at: 0,
        setup_ms: Some(3),
        connected_ms: Some(5),
        ended_ms: 11_000,
        end,
        hung_up: false,
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
        confirmed_at: Some(1_000),
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

/// Found of the call of a caller whose record says so much.
fn found(call: Call, offer: Offer, talk_ms: u64, (duration_ms, missing_ms): (u64, u64)) -> Vec<String> {
    let mut record = record("1", "answered");
    record["talk_ms"] = talk_ms.into();
    record["recordings"] = json!([{ "duration_ms": duration_ms, "missing_ms": missing_ms }]);
    compare(&[call], &[offer], &[record], true).contradicted
}

#[test]
fn a_recording_is_as_long_as_the_talk_but_for_what_it_says_is_missing() {
    let contradicted = |duration_ms, missing_ms| {
        found(call("1", End::Talked), offer("1000", "1"), 10_000, (duration_ms, missing_ms))
    };
    assert_eq!(contradicted(10_000, 0), [""; 0]);
    assert_eq!(contradicted(9_600, 0), [""; 0]);
    assert_eq!(contradicted(9_500, 0), ["1: talked 10000 ms, recording of 9500 ms with 0 ms missing"]);
    assert_eq!(contradicted(7_700, 2_000), [""; 0]);
    assert_eq!(contradicted(10_400, 0), [""; 0]);
    assert_eq!(
        contradicted(10_500, 3_000),
        ["1: talked 10000 ms, recording of 10500 ms with 3000 ms missing"]
    );
}

/// The agent answers at 1 s and is connected at 2 s; the caller hangs up at 9.5 s, which the agent hears at 11 s.
#[test]
fn a_talk_begins_and_ends_while_nobody_decides_and_not_elsewhere() {
    let caller = Call { ended_ms: 9_500, ..call("1", End::Talked) };
    let agent = Offer { confirmed_at: Some(2_000), ..offer("1000", "1") };
    let lived = |talk_ms| found(caller.clone(), agent.clone(), talk_ms, (talk_ms, 0));
    assert_eq!([7_400, 10_100].map(|talk_ms| lived(talk_ms).len()), [0, 0]);
    assert_eq!(lived(7_200), ["1: talked 7500 to 10000 ms, recorded as 7200 ms"]);
    assert_eq!(lived(10_300), ["1: talked 7500 to 10000 ms, recorded as 10300 ms"]);
}

/// The media node heard of the end when the agent did, or never.
#[test]
fn a_recording_goes_on_until_the_other_side_hears_of_the_end_at_most() {
    let caller = Call { ended_ms: 10_000, ..call("1", End::Talked) };
    let lived = |duration_ms| found(caller.clone(), offer("1000", "1"), 9_000, (duration_ms, 0)).len();
    assert_eq!([9_000, 10_300, 10_500].map(lived), [0, 0, 1]);
}

#[test]
fn two_who_hang_up_at_once_have_talked_until_somebody_decides() {
    let lived = |hung_up| {
        let caller = Call { hung_up, setup_ms: Some(800), ..call("1", End::Talked) };
        let agent = Offer { hung_up, ..offer("1000", "1") };
        found(caller, agent, 10_900, (10_900, 0)).len()
    };
    assert_eq!([false, true].map(lived), [1, 0]);
}

#[test]
fn what_the_other_side_hears_of_late_is_found_unless_nobody_decided_for_so_long() {
    let lived = |confirmed_at, ended_ms, setup_ms| {
        let caller = Call { ended_ms, setup_ms: Some(setup_ms), ..call("1", End::Talked) };
        let agent = Offer { confirmed_at: Some(confirmed_at), ..offer("1000", "1") };
        found(caller, agent, 9_000, (9_000, 0))
    };
    assert_eq!(lived(1_000, 6_000, 3), [""; 0]);
    assert_eq!(lived(1_000, 5_000, 3), ["1: one side hung up, and the other heard of it 6000 ms later"]);
    assert_eq!(lived(1_000, 5_000, 1_000), [""; 0]);
    assert_eq!(lived(7_000, 11_000, 3), ["1: answered, and connected 6000 ms later"]);
}
