//! Keeps the outcomes of runs as a table in `docs/reliability.md`, between two marks.

use std::path::Path;

use anyhow::{Context, Result};
use mangrove_loadtest::report::Spread;

use super::{Outcome, demand};

const BEGIN: &str = "<!-- figures: begin -->";
const END: &str = "<!-- figures: end -->";

const HEAD: [&str; 16] = [
    "row",
    "layout",
    "faults",
    "calls",
    "established calls lost",
    "in line: lost / moved back",
    "new calls failed",
    "CDRs missing / doubled / otherwise wrong",
    "led again, ms: p50 / p99 / max",
    "as before, ms: p50 / p99 / max",
    "INVITE answered, ms: p50 / p99 / max",
    "gap by the fault: sides of, p50 / p99 / max ms",
    "gap when victims came back",
    "deaf at the end",
    "all got over",
    "of this row",
];

/// Writes the table of all outcomes that are kept below `folder` into the page.
pub fn write(page: &Path, folder: &Path) -> Result<()> {
    let text = std::fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let (before, rest) =
        text.split_once(BEGIN).with_context(|| format!("no {BEGIN} in {}", page.display()))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("no {END} in {}", page.display()))?;
    let figures = figures(&outcomes(folder)?);
    std::fs::write(page, format!("{before}{BEGIN}\n\n{figures}\n{END}{after}"))?;
    Ok(())
}

/// By row and layout.
fn outcomes(folder: &Path) -> Result<Vec<Outcome>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path().join("outcome.json");
        if let Ok(text) = std::fs::read(&path) {
            let outcome: Outcome =
                serde_json::from_slice(&text).with_context(|| format!("{}: remove it", path.display()))?;
            all.push(outcome);
        }
    }
    all.sort_by_key(|outcome| (outcome.row, outcome.layout));
    Ok(all)
}

/// The table, then each run's conditions and what went wrong.
fn figures(outcomes: &[Outcome]) -> String {
    let head = [line(&HEAD.map(str::to_owned)), line(&HEAD.map(|_| "---".to_owned()))];
    let rows = outcomes.iter().map(|outcome| line(&row(outcome)));
    let table: String = head.into_iter().chain(rows).collect();
    let notes: String = outcomes.iter().map(note).collect();
    format!("{table}\n{notes}")
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn row(outcome: &Outcome) -> [String; 16] {
    let Outcome { row, layout, faults, differences, gap, gap_back, .. } = outcome;
    let wrong = differences.contradicted.len() + differences.unrecorded.len() + differences.unknown.len();
    let refused: usize = outcome.refused.values().sum();
    [
        format!("{}: {}", row.number(), row.title()),
        if outcome.net == row.net_at_least() {
            layout.to_string()
        } else {
            format!("{layout}, {}", outcome.net)
        },
        faults.len().to_string(),
        outcome.calls.to_string(),
        outcome.lost.len().to_string(),
        format!("{} / {}", outcome.lost_in_line.len(), outcome.worse()),
        refused.to_string(),
        format!("{} / {} / {wrong}", differences.missing.len(), differences.doubled.len()),
        spread(&outcome.leader),
        spread(&outcome.settled),
        spread(&outcome.setup),
        format!("{} of {}: {}", gap.count, outcome.hit, spread(gap)),
        format!("{}: {}", gap_back.count, spread(gap_back)),
        outcome.deaf.to_string(),
        if outcome.trouble.is_empty() { "yes".into() } else { "no".into() },
        demand::seen(outcome),
    ]
}

fn spread(spread: &Spread) -> String {
    match spread {
        Spread { count: 0, .. } => "-".into(),
        Spread { p50, p99, max, .. } => format!("{p50} / {p99} / {max}"),
    }
}

fn note(outcome: &Outcome) -> String {
    let c = &outcome.conditions;
    let mut text = format!(
        "* **{}**: {}, commit {}, {} binary, {} calls at once, {} new a second, {}. `{}`\n",
        outcome.name(),
        c.date,
        c.commit,
        c.binary,
        c.calls,
        c.rate,
        c.machine,
        c.command
    );
    let wrong = outcome.trouble.iter().cloned().chain(outcome.shortfalls());
    text.extend(wrong.map(|why| format!("  * {}\n", why.replace('\n', " "))));
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chaos::{Fault, outcome::tests::outcome as nothing};

    fn outcome() -> Outcome {
        let (victims, worse) = (vec!["a".to_owned()], vec!["1".to_owned()]);
        let fault =
            Fault { at: 1, ended_at: 3, leader_ms: Some(5), settled_ms: 2, worse, ..Fault::new(&victims) };
        let (lost, refused, leader) = (vec!["x".into()], [(503, 2)].into(), Spread::of(vec![5]));
        Outcome { faults: vec![fault], lost, refused, leader, ..nothing() }
    }

    #[test]
    fn the_table_stands_between_the_marks_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (page, kept) = (folder.path().join("page.md"), folder.path().join("row-4-apart"));
        std::fs::write(&page, format!("above\n{BEGIN}\nold\n{END}\nbelow\n")).unwrap();
        std::fs::create_dir(&kept).unwrap();
        outcome().keep(&kept).unwrap();
        write(&page, folder.path()).unwrap();
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.starts_with("above\n") && text.ends_with("below\n") && !text.contains("old"), "{text}");
        assert!(text.contains("| 4: kill -9 of the leader | apart | 1 | 7 | 1 | 0 / 1 | 2 |"), "{text}");
        assert!(text.contains("5 / 5 / 5"), "{text}");
    }

    #[test]
    fn a_place_or_a_call_lost_is_not_clean() {
        assert!(!outcome().is_clean());
        let well = Outcome { lost: Vec::new(), faults: Vec::new(), ..outcome() };
        assert!(well.is_clean());
    }
}
