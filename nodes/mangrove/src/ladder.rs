//! A call's story as text: one line an entry, with the SIP ladder between the parties and us.

use std::fmt::Write;

use mangrove_proto::story::{Entry, Kind};

/// Characters between two lanes.
const GAP: usize = 24;
const US: &str = "mangrove";

/// Timeline and ladder; the detail of decisions and media events stands under them.
pub(crate) fn ladder(entries: &[Entry]) -> String {
    let lanes = Lanes::of(entries);
    let mut text = lanes.header();
    for entry in entries {
        let row = match entry.kind {
            Kind::Received => lanes.arrow(lanes.place(&entry.party), lanes.ours(), &entry.title),
            Kind::Sent => lanes.arrow(lanes.ours(), lanes.place(&entry.party), &entry.title),
            Kind::Decision => lanes.note('*', entry),
            Kind::Media => lanes.note('~', entry),
        };
        line(&mut text, &time(entry.after_ms), &row);
        if matches!(entry.kind, Kind::Decision | Kind::Media) {
            entry.detail.lines().for_each(|detail| line(&mut text, "", &lanes.under(detail)));
        }
    }
    text
}

fn line(text: &mut String, time: &str, row: &str) {
    let _never_fails = writeln!(text, "{time:>9}  {}", row.trim_end());
}

/// `12.345` seconds, minutes where needed: `1:02.345`.
fn time(milliseconds: u64) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    match seconds / 60 {
        0 => format!("{seconds}.{rest:03}"),
        minutes => format!("{minutes}:{:02}.{rest:03}", seconds % 60),
    }
}

/// Who stands where: the first party on the left, then we, then the others.
struct Lanes<'a> {
    names: Vec<&'a str>,
}

impl<'a> Lanes<'a> {
    fn of(entries: &'a [Entry]) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for party in entries.iter().map(|entry| entry.party.as_str()) {
            if !party.is_empty() && !names.contains(&party) {
                names.push(party);
            }
        }
        names.insert(names.len().min(1), US);
        Self { names }
    }

    fn ours(&self) -> usize {
        self.place(US)
    }

    /// The lane of a party; ours for the call as a whole.
    fn place(&self, party: &str) -> usize {
        let found = self.names.iter().position(|name| *name == party);
        found.or_else(|| self.names.iter().position(|name| *name == US)).unwrap_or_default()
    }

    fn header(&self) -> String {
        let mut row = String::new();
        for name in &self.names {
            let short: String = name.chars().take(GAP - 2).collect();
            let _never_fails = write!(row, "{short:<GAP$}");
        }
        let mut text = String::new();
        line(&mut text, "", &row);
        text
    }

    /// The lanes alone.
    fn empty(&self) -> Vec<char> {
        let width = (self.names.len() - 1) * GAP + 1;
        (0..width).map(|at| if at % GAP == 0 { '|' } else { ' ' }).collect()
    }

    fn arrow(&self, from: usize, to: usize, title: &str) -> String {
        let (left, right) = (from.min(to) * GAP, from.max(to) * GAP);
        let mut row = self.empty();
        if left == right {
            return self.beside(title);
        }
        row[left + 1..right].fill('-');
        let tip = if from < to { right - 1 } else { left + 1 };
        row[tip] = if from < to { '>' } else { '<' };
        let room = right - left - 5;
        let title: Vec<char> =
            format!(" {} ", title.chars().take(room - 2).collect::<String>()).chars().collect();
        let start = left + 3 + (room - title.len()) / 2;
        row[start..start + title.len()].copy_from_slice(&title);
        row.into_iter().collect()
    }

    fn note(&self, sign: char, entry: &Entry) -> String {
        let party = if entry.party.is_empty() { String::new() } else { format!("[{}] ", entry.party) };
        self.beside(&format!("{sign} {party}{}", entry.title))
    }

    fn under(&self, detail: &str) -> String {
        self.beside(&format!("    {detail}"))
    }

    /// Text on the right of our lane.
    fn beside(&self, text: &str) -> String {
        let row: String = self.empty().into_iter().take(self.ours() * GAP + 1).collect();
        format!("{row} {text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(after_ms: u64, kind: Kind, party: &str, title: &str, detail: &str) -> Entry {
        Entry { at: 0, after_ms, kind, party: party.into(), title: title.into(), detail: detail.into() }
    }

    #[test]
    fn a_call_reads_from_left_to_right() {
        let story = [
            entry(0, Kind::Received, "caller", "INVITE", "INVITE sip:..."),
            entry(3, Kind::Sent, "caller", "100 Trying", ""),
            entry(5, Kind::Decision, "", "offered to anna", "longest idle 42 s"),
            entry(6, Kind::Sent, "101", "INVITE", ""),
            entry(62_345, Kind::Received, "101", "180 Ringing, and a reason that is far too long", ""),
            entry(62_400, Kind::Media, "caller", "silent", ""),
        ];
        let wanted = "           caller                  mangrove                101";
        let text = ladder(&story);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0], wanted);
        assert_eq!(rows[1].split_whitespace().next(), Some("0.000"));
        assert!(rows[1].contains("INVITE") && rows[1].contains(">|"), "{text}");
        assert!(rows[2].contains("|<") && rows[2].contains("100 Trying"), "{text}");
        assert!(rows[3].ends_with("* offered to anna") && rows[4].ends_with("longest idle 42 s"), "{text}");
        assert!(rows[6].contains("1:02.345") && rows[6].contains("|<- 180 Ringing"), "{text}");
        assert!(rows[7].ends_with("~ [caller] silent"), "{text}");
        assert!(!text.contains("sip:"), "messages stay out of the ladder");
    }

    #[test]
    fn an_empty_story_is_no_mistake() {
        assert!(ladder(&[]).contains(US));
    }
}
