//! What each strategy chooses, as tables.

use mangrove_sip::Seed;

use super::{Candidate, choose};
use crate::config::Strategy;

/// (name, idle, tried) in the group's order.
fn candidates(rows: &[(&str, u64, u32)]) -> Vec<Candidate> {
    let rows = rows.iter().enumerate();
    rows.map(|(order, (name, idle_ms, tried))| Candidate {
        employee: (*name).into(),
        order,
        idle_ms: *idle_ms,
        tried: *tried,
    })
    .collect()
}

fn chosen(strategy: Strategy, rows: &[(&str, u64, u32)], seed: u64) -> Vec<String> {
    let chosen = choose(strategy, &candidates(rows), &mut Seed::new(seed));
    chosen.iter().map(|candidate| candidate.employee.to_string()).collect()
}

#[test]
fn each_strategy_chooses_by_its_rule() {
    use Strategy::{LongestIdle, Sequential, Simultaneous};
    for (strategy, rows, wanted) in [
        (LongestIdle, &[("a", 5, 0), ("b", 9, 0), ("c", 7, 0)][..], &["b"][..]),
        (LongestIdle, &[("a", 5, 0), ("b", 5, 0)], &["a"]),
        (LongestIdle, &[("a", 0, 9), ("b", 5, 9)], &["b"]),
        (LongestIdle, &[], &[]),
        (Simultaneous, &[("a", 5, 0), ("b", 9, 3)], &["a", "b"]),
        (Simultaneous, &[], &[]),
        (Sequential, &[("a", 0, 0), ("b", 9, 0)], &["a"]),
        (Sequential, &[("a", 0, 1), ("b", 9, 0)], &["b"]),
        (Sequential, &[("a", 0, 1), ("b", 9, 1)], &["a"]),
        (Sequential, &[], &[]),
        (Strategy::Random, &[], &[]),
    ] {
        assert_eq!(chosen(strategy, rows, 1), wanted, "{strategy:?} of {rows:?}");
    }
}

#[test]
fn random_reaches_everybody_and_repeats_with_its_seed() {
    let rows = [("a", 0, 0), ("b", 0, 0), ("c", 0, 0)];
    let of = |seed| chosen(Strategy::Random, &rows, seed);
    for wanted in ["a", "b", "c"] {
        assert!((0..100).any(|seed| of(seed) == [wanted]), "{wanted} is never chosen");
    }
    assert!((0..100).all(|seed| of(seed) == of(seed)));
}
