use super::*;
use crate::ledger::Counters;

fn call(end: End, heard_agent: Option<bool>) -> Call {
    Call {
        caller: "1".into(),
        at: 0,
        setup_ms: Some(3),
        connected_ms: Some(5),
        ended_ms: 9_000,
        end,
        hung_up: false,
        status: 200,
        retry_after: None,
        sound: Counters::default(),
        heard_agent,
        silences: Vec::new(),
    }
}

fn offer(heard_caller: Option<bool>) -> Offer {
    Offer {
        agent: "1000".into(),
        caller: "1".into(),
        at: 0,
        answered_at: Some(1_000),
        confirmed_at: None,
        ended_at: 9_000,
        sound: Counters::default(),
        heard_caller,
        silences: Vec::new(),
        hung_up: false,
        hertz: 1_000,
        caller_hertz: 300,
    }
}

fn report(profile: Profile, calls: Vec<Call>, offers: Vec<Offer>) -> Report {
    let ledger = Ledger::default();
    for call in calls {
        ledger.began();
        ledger.call(call);
    }
    offers.into_iter().for_each(|offer| ledger.offer(offer));
    Report::of(profile, &ledger, None)
}

#[test]
fn a_spread_has_its_percentiles_and_all_values_in_its_bars() {
    let spread = Spread::of((1..=100).collect());
    assert_eq!((spread.p50, spread.p95, spread.p99, spread.max), (50, 95, 99, 100));
    assert_eq!(spread.histogram.iter().sum::<usize>(), 100);
    assert_eq!(Spread::of(vec![]), Spread::default());
    assert_eq!(Spread::of(vec![0, 0]).histogram[0], 2);
}

#[test]
fn a_talk_in_which_one_side_was_not_heard_or_not_measured_is_not_clean() {
    let talk = |caller, agent| {
        report(Profile::default(), vec![call(End::Talked, caller)], vec![offer(agent)]).is_clean()
    };
    assert!(talk(Some(true), Some(true)));
    assert!(!talk(Some(true), Some(false)), "the agent heard nothing");
    assert!(!talk(Some(false), Some(true)), "the caller heard nothing");
    assert!(!talk(None, Some(true)), "nobody listened");
    let silent = Profile { sound: false, ..Profile::default() };
    assert!(report(silent, vec![call(End::Talked, None)], vec![offer(None)]).is_clean());
}

#[test]
fn callers_turned_away_are_a_fault_unless_the_profile_expects_them() {
    let turned = |turns_away| {
        let profile = Profile { turns_away, ..Profile::default() };
        report(profile, vec![call(End::Turned, None)], vec![]).is_clean()
    };
    assert!(!turned(false));
    assert!(turned(true));
}

#[test]
fn what_was_wrong_is_said_by_kind_and_name() {
    let mut report =
        report(Profile::default(), vec![call(End::Talked, Some(true))], vec![offer(Some(false))]);
    report.differences = Some(Differences { missing: vec!["79001".into()], ..Differences::default() });
    let expected =
        ["the caller was heard in 0 of 1 talks, 1 of them measured", "no record: 79001"].map(str::to_owned);
    assert_eq!(report.complaints(), expected);
}
