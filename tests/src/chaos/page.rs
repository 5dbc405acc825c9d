//! Keeps the outcomes of runs as a table in `docs/reliability.md`, between two marks.

use std::{collections::BTreeMap, path::Path};

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

/// Writes the table of all outcomes that are kept below `folder` into the page. Rows of others stay.
pub fn write(page: &Path, folder: &Path) -> Result<()> {
    let text = std::fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let (before, rest) =
        text.split_once(BEGIN).with_context(|| format!("no {BEGIN} in {}", page.display()))?;
    let (old, after) = rest.split_once(END).with_context(|| format!("no {END} in {}", page.display()))?;
    let mut figures = Figures::of(old)?;
    outcomes(folder)?.iter().for_each(|outcome| figures.take(outcome));
    std::fs::write(page, format!("{before}{BEGIN}\n\n{}\n{END}{after}", figures.text()))?;
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

/// The lines of the table and each run's conditions and what went wrong, in the order of the rows.
#[derive(Default)]
struct Figures {
    rows: BTreeMap<Place, String>,
    notes: BTreeMap<Place, String>,
}

/// A row's number and what else tells it from others.
type Place = (u32, String);

fn place(name: &str) -> Place {
    let number: String = name.chars().take_while(char::is_ascii_digit).collect();
    (number.parse().unwrap_or_default(), name.to_owned())
}

impl Figures {
    fn of(text: &str) -> Result<Self> {
        let mut figures = Self::default();
        let mut table = text.lines().filter(|line| line.starts_with("| "));
        if let Some(head) = table.next() {
            anyhow::ensure!(
                head == line(&HEAD.map(str::to_owned)).trim_end(),
                "the table has other columns: empty it"
            );
        }
        for row in table.skip(1) {
            let mut cells = row.split(" | ");
            let (title, layout) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
            let number = title.trim_start_matches("| ").split(':').next().unwrap_or_default();
            figures.rows.insert(place(&format!("{number} {layout}")), format!("{row}\n"));
        }
        for note in text.split("\n* **row-").skip(1) {
            let name = note.split("**").next().unwrap_or_default();
            figures.notes.insert(place(name), format!("* **row-{}\n", note.trim_end()));
        }
        Ok(figures)
    }

    fn take(&mut self, outcome: &Outcome) {
        let (number, name) = (outcome.row.number(), outcome.name());
        self.rows.insert(place(&format!("{number} {}", layout(outcome))), line(&row(outcome)));
        self.notes.insert(place(name.trim_start_matches("row-")), note(outcome));
    }

    fn text(self) -> String {
        let head = [line(&HEAD.map(str::to_owned)), line(&HEAD.map(|_| "---".to_owned()))];
        let table: String = head.into_iter().chain(self.rows.into_values()).collect();
        let notes: String = self.notes.into_values().collect();
        format!("{table}\n{notes}")
    }
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn row(outcome: &Outcome) -> [String; 16] {
    let Outcome { row, faults, differences, gap, gap_back, .. } = outcome;
    let refused: usize = outcome.refused.values().sum();
    [
        format!("{}: {}", row.number(), row.title()),
        layout(outcome),
        faults.len().to_string(),
        outcome.calls.to_string(),
        outcome.lost.len().to_string(),
        format!("{} / {}", outcome.lost_in_line.len(), outcome.worse()),
        refused.to_string(),
        format!("{} / {} / {}", differences.missing.len(), differences.doubled.len(), differences.wrong()),
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

fn layout(outcome: &Outcome) -> String {
    let Outcome { row, layout, net, .. } = outcome;
    if *net == row.net_at_least() { layout.to_string() } else { format!("{layout}, {net}") }
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
    use crate::chaos::{Fault, Layout, Row, outcome::tests::outcome as nothing};

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
    fn rows_of_other_runs_stay_and_all_are_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        std::fs::write(&page, format!("{BEGIN}\n{END}\n")).unwrap();
        let kept = |row, layout| {
            let name = folder.path().join(format!("{row:?}{layout}"));
            std::fs::create_dir(&name).unwrap();
            Outcome { row, layout, ..outcome() }.keep(&name).unwrap();
            write(&page, folder.path()).unwrap();
            std::fs::remove_dir_all(&name).unwrap();
        };
        kept(Row::Flapping, Layout::Alike);
        kept(Row::Leader, Layout::Apart);
        kept(Row::Leader, Layout::Alike);
        kept(Row::Leader, Layout::Apart);
        let text = std::fs::read_to_string(&page).unwrap();
        let rows = text.lines().filter(|line| line.starts_with("| ")).skip(2);
        let rows: Vec<_> = rows.map(|row| row.split(" | ").take(2).collect::<Vec<_>>().join(" ")).collect();
        let leader = "| 4: kill -9 of the leader";
        assert_eq!(rows[..2], [format!("{leader} alike"), format!("{leader} apart")], "{text}");
        assert!(rows.len() == 3 && rows[2].starts_with("| 12: "), "{text}");
        assert_eq!(text.matches("\n* **row-").count(), 3, "{text}");
        assert_eq!(text.matches(BEGIN).count(), 1);
    }

    #[test]
    fn a_place_or_a_call_lost_is_not_clean() {
        assert!(!outcome().is_clean());
        let well = Outcome { lost: Vec::new(), faults: Vec::new(), ..outcome() };
        assert!(well.is_clean());
    }
}
