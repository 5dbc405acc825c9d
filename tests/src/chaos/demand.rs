//! What a row asks for besides what all do: pass numbers of the matrix, held against what was seen. Pure.

use mangrove_loadtest::{
    ledger::{Call, End},
    report::Spread,
};
use serde::{Deserialize, Serialize};

use super::{Fault, Layout, Net, Outcome, Row};

/// A new leader in one network, and with 150 ms between nodes.
const LEADS_MS: u64 = 1_000;
const LEADS_FAR_MS: u64 = 3_000;
/// Elections a minute of a network that half works.
const STORM: u64 = 3;
/// A cluster that had no majority, or whose leader was cut off, is well again this long after its return.
const WELL_MS: u64 = 10_000;
/// A caller has an answer by then.
const ANSWER_MS: u64 = 2_000;

/// The silence after a media node's death where its address moves: half of all, and the longest.
const GAP_P50_MS: u64 = 1_000;
const GAP_MAX_MS: u64 = 2_000;

/// What new callers heard while nobody could serve them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    pub asked: usize,
    /// Those who were served, or told when to try again, in time.
    pub in_time: usize,
    /// Until they were.
    pub took: Spread,
}

impl Told {
    /// Of calls that came while a fault lasted, and so early that the answer was due before its end.
    pub(super) fn of(calls: &[Call], faults: &[Fault]) -> Self {
        let due = |fault: &Fault, call: &Call| fault.at <= call.at && call.at + ANSWER_MS < fault.ended_at;
        let during = |call: &&Call| faults.iter().any(|fault| due(fault, call));
        let asked: Vec<_> = calls.iter().filter(during).collect();
        let took: Vec<_> = asked.iter().filter_map(|call| told_after(call)).collect();
        let in_time = took.iter().filter(|ms| **ms <= ANSWER_MS).count();
        Self { asked: asked.len(), in_time, took: Spread::of(took) }
    }
}

/// When a caller heard something of use; none if never.
fn told_after(call: &Call) -> Option<u64> {
    let refused = call.end == End::Refused && call.status == 503 && call.retry_after.is_some();
    call.setup_ms.or(refused.then_some(call.ended_ms))
}

/// What was asked for and not reached, a sentence each.
pub(super) fn shortfalls(outcome: &Outcome) -> Vec<String> {
    let Outcome { row, leader, told, quiet, alone, .. } = outcome;
    let mut found = Vec::new();
    let mut ask = |is_reached: bool, what: String| found.extend((!is_reached).then_some(what));
    ask(alone.is_empty(), format!("agents talked with nobody: {}", alone.join("; ")));
    let limit = if *row == Row::Far { LEADS_FAR_MS } else { LEADS_MS };
    if row.takes_the_leader() {
        ask(leader.p99 <= limit, format!("led again within {} ms (p99), not {limit}", leader.p99));
    }
    let storm = outcome.faults.iter().map(elections_a_minute).max().unwrap_or(0);
    if is_half_working(*row) {
        ask(storm <= STORM, format!("{storm} elections in a minute, not {STORM} at most"));
        let (answered, limit) = (outcome.setup.max, 10_000);
        ask(answered <= limit, format!("a call was answered after {answered} ms, not {limit}"));
    }
    if let Some((p50, max)) = gap(outcome) {
        let seen = &outcome.gap;
        let is_reached = seen.p50 <= p50 && seen.max <= max;
        ask(is_reached, format!("gaps of {} (p50) and {} ms (max), not {p50} and {max}", seen.p50, seen.max));
    }
    if !leaves_records_open(*row, outcome.layout) {
        let wrong = outcome.differences.lines().collect::<Vec<_>>();
        let shown = wrong.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
        ask(outcome.differences.wrong() == 0, format!("{} records are wrong: {shown}", wrong.len()));
    }
    if *row == Row::EdgesCut {
        let (asked, in_time) = (told.asked, told.in_time);
        ask(asked > 0, "nobody called while the edges were cut off".into());
        ask(in_time == asked, format!("{in_time} of {asked} callers heard anything within {ANSWER_MS} ms"));
    }
    if returns(*row) {
        let well = well(outcome).max;
        ask(well <= WELL_MS, format!("well again after {well} ms, not {WELL_MS}"));
    }
    if *row == Row::Late {
        ask(outcome.late() > 0, "no late command came to a fence".into());
    }
    if *row == Row::Far {
        let elections = quiet.as_ref().map_or(0, |quiet| quiet.elections);
        ask(elections == 0, format!("{elections} elections though nothing was done"));
    }
    found
}

/// The same for the table; empty where a row asks for nothing more.
pub(super) fn seen(outcome: &Outcome) -> String {
    let Outcome { row, told, quiet, faults, .. } = outcome;
    match row {
        Row::EdgesCut => format!(
            "{} of {} callers told within 2 s; {} / {} ms",
            told.in_time, told.asked, told.took.p50, told.took.max
        ),
        Row::Late => format!("{} late commands refused by fences", outcome.late()),
        Row::Far => quiet
            .as_ref()
            .map_or(String::new(), |quiet| format!("{} elections in {} s", quiet.elections, quiet.seconds)),
        row if returns(*row) => {
            let well = well(outcome);
            format!("well {} / {} ms after the return", well.p50, well.max)
        }
        row if is_half_working(*row) => {
            let most = faults.iter().map(elections_a_minute).max().unwrap_or(0);
            format!("{most} elections in a minute at most")
        }
        _ => String::new(),
    }
}

/// What silences may come to, p50 and max; counted are those over 200 ms. Who kills a process that carries sound is heard, and
/// nobody else; where an address can't move, and where a process is stopped or cut off, the figures are to be read.
fn gap(outcome: &Outcome) -> Option<(u64, u64)> {
    let is_apart = outcome.layout == Layout::Apart;
    match outcome.row {
        Row::Media | Row::Edge | Row::Leader if outcome.net == Net::Fixed => None,
        Row::Edge | Row::Leader | Row::Pause | Row::LeaderCut if is_apart => Some((0, 0)),
        Row::Media | Row::Edge | Row::Leader => Some((GAP_P50_MS, GAP_MAX_MS)),
        _ => None,
    }
}

/// Whether ends of calls are decided only long after they were heard of.
fn leaves_records_open(row: Row, layout: Layout) -> bool {
    row.breaks_majority(layout) || row == Row::EdgesCut
}

/// Whether a majority, or a leader, comes back whole.
fn returns(row: Row) -> bool {
    matches!(row, Row::Majority | Row::All | Row::LeaderCut)
}

fn well(outcome: &Outcome) -> Spread {
    Spread::of(outcome.faults.iter().map(|fault| fault.well_ms).collect())
}

fn is_half_working(row: Row) -> bool {
    matches!(row, Row::LeaderUnheard | Row::Bridge | Row::Flapping)
}

/// In the mean over a fault that lasted longer, and all of one that was shorter.
fn elections_a_minute(fault: &Fault) -> u64 {
    let minutes = fault.ended_at.saturating_sub(fault.at) as f64 / 60_000.0;
    (fault.elections as f64 / minutes.max(1.0)).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::{Quiet, outcome::tests::outcome};

    fn fault(lasts: u64, elections: u64) -> Fault {
        Fault { at: 100_000, ended_at: 100_000 + lasts, elections, ..Fault::new(&[]) }
    }

    #[test]
    fn each_row_has_demands_of_its_own() {
        let late = Fault { late: 3, ..fault(15_000, 1) };
        let back = |well_ms| Fault { well_ms, ..fault(5_000, 0) };
        let told = |asked, in_time| Told { asked, in_time, took: Spread::default() };
        let quiet = |elections| Some(Quiet { seconds: 600, elections });
        let (lead, spread) = (|ms| Spread::of(vec![ms]), Spread::default);
        let table = [
            (Row::Leader, vec![], spread(), told(0, 0), None, ""),
            (Row::Leader, vec![], lead(1_100), told(0, 0), None, "led again"),
            (Row::Far, vec![], lead(2_900), told(0, 0), quiet(0), ""),
            (Row::Far, vec![], lead(3_100), told(0, 0), quiet(0), "led again"),
            (Row::Far, vec![], lead(2_000), told(0, 0), quiet(1), "1 elections though"),
            (Row::Bridge, vec![fault(15_000, 3)], spread(), told(0, 0), None, ""),
            (Row::Bridge, vec![fault(15_000, 4)], spread(), told(0, 0), None, "4 elections in a minute"),
            (Row::Flapping, vec![fault(120_000, 6)], spread(), told(0, 0), None, ""),
            (Row::Flapping, vec![fault(120_000, 7)], spread(), told(0, 0), None, "4 elections in a minute"),
            (Row::EdgesCut, vec![], spread(), told(9, 9), None, ""),
            (Row::EdgesCut, vec![], spread(), told(9, 8), None, "8 of 9 callers"),
            (Row::EdgesCut, vec![], spread(), told(0, 0), None, "nobody called"),
            (Row::Majority, vec![back(10_000)], spread(), told(0, 0), None, ""),
            (Row::Majority, vec![back(10_001)], spread(), told(0, 0), None, "well again after 10001"),
            (Row::Edge, vec![back(10_001)], spread(), told(0, 0), None, ""),
            (Row::Late, vec![late], spread(), told(0, 0), None, ""),
            (Row::Late, vec![fault(15_000, 1)], spread(), told(0, 0), None, "no late command"),
        ];
        for (row, faults, leader, told, quiet, expected) in table {
            let outcome = Outcome { row, faults, leader, told, quiet, ..outcome() };
            let found = shortfalls(&outcome).join("; ");
            assert!(found.is_empty() == expected.is_empty() && found.contains(expected), "{row:?}: {found}");
        }
    }

    #[test]
    fn silences_are_bounded_where_a_node_with_sound_dies_and_forbidden_where_it_has_none() {
        let table = [
            (Row::Media, Layout::Apart, Net::Loopback, [1_000, 2_000], true),
            (Row::Media, Layout::Apart, Net::Loopback, [900, 2_001], false),
            (Row::Media, Layout::Apart, Net::Loopback, [1_001, 1_100], false),
            (Row::Media, Layout::Apart, Net::Fixed, [3_000, 3_000], true),
            (Row::Leader, Layout::Alike, Net::Loopback, [800, 900], true),
            (Row::Leader, Layout::Apart, Net::Loopback, [210, 210], false),
            (Row::Pause, Layout::Apart, Net::Machines, [210, 210], false),
            (Row::Pause, Layout::Alike, Net::Machines, [1_200, 1_300], true),
        ];
        for (row, layout, net, gaps, is_met) in table {
            let outcome = Outcome { row, layout, net, gap: Spread::of(gaps.to_vec()), ..outcome() };
            assert_eq!(shortfalls(&outcome).is_empty(), is_met, "{row:?} {layout} {gaps:?}");
        }
    }

    #[test]
    fn a_wrong_record_is_named_unless_nobody_could_decide() {
        let mut found = outcome();
        found.differences.contradicted = vec!["1001: talked 3 s".into()];
        assert!(shortfalls(&found).join("").contains("1 records are wrong: contradicted: 1001"));
        assert!(shortfalls(&Outcome { row: Row::All, ..found }).is_empty());
    }

    #[test]
    fn every_row_asks_that_no_agent_is_left_alone() {
        let found = shortfalls(&Outcome { alone: vec!["1001 for 12000 ms".into()], ..outcome() });
        assert!(matches!(&found[..], [why] if why.contains("1001")), "{found:?}");
    }

    #[test]
    fn a_caller_is_told_when_served_or_asked_to_come_again() {
        let call = |at, status, ended_ms, retry_after| {
            let call = serde_json::json!({
                "caller": "1", "at": at, "setup_ms": null, "connected_ms": null, "ended_ms": ended_ms, "end": "refused",
                "status": status, "retry_after": retry_after, "sound": mangrove_loadtest::ledger::Counters::default(),
                "heard_agent": null
            });
            serde_json::from_value::<Call>(call).expect("a call")
        };
        let calls = [
            call(99_000, 503, 9, Some(3)),
            call(101_000, 503, 1_900, Some(3)),
            call(102_000, 503, 5, None),
            call(103_000, 408, 32_000, None),
            call(104_000, 503, 2_100, Some(3)),
            call(114_000, 503, 9, Some(3)),
        ];
        let told = Told::of(&calls, &[fault(15_000, 0)]);
        assert_eq!(
            (told.asked, told.in_time, told.took.max),
            (4, 1, 2_100),
            "the last could not be waited for"
        );
    }
}
