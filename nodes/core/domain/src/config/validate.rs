//! What is wrong with a document that could be read: references, doubles, values out of bounds. All problems are
//! found at once, in the document's order, each with its path and what is allowed.

mod circle;
mod conference;
mod mailboxes;
mod names;
mod people;
mod reach;
mod service;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod text;

use std::{collections::BTreeMap, fmt::Display, ops::RangeInclusive};

use super::{
    Timezone,
    document::{Document, Duration, FORMAT, Problem},
};

pub(crate) use names::Names;

const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;
/// Of callers: higher is served first.
const PRIORITY: RangeInclusive<i32> = -100..=100;
/// Most objects of one kind in a tenant.
const MOST: usize = 20_000;

/// All that is wrong; empty when the document can be applied.
pub fn validate(document: &Document) -> Vec<Problem> {
    let mut findings = Findings::default();
    let names = Names::of(document);
    whole(document, &mut findings);
    reach::trunks(document, &mut findings);
    reach::numbers(document, &mut findings);
    people::employees(document, &names, &mut findings);
    service::groups(document, &names, &mut findings);
    service::schemes(document, &names, &mut findings);
    mailboxes::mailboxes(document, &names, &mut findings);
    conference::conferences(document, &mut findings);
    circle::overflows(document, &names, &mut findings);
    findings.problems
}

fn whole(document: &Document, findings: &mut Findings) {
    if document.format != FORMAT {
        findings.add("format", format!("{} is no known format; allowed: {FORMAT}", document.format));
    }
    findings.check("tenant", text::id(&document.tenant));
    findings.check("name", text::label(&document.name));
    findings.check("domain", text::domain(&document.domain));
    findings
        .check("timezone", Timezone::named(&document.timezone).map(drop).map_err(|error| error.to_string()));
    findings.check("language", text::language(&document.language));
    if let Some(music) = &document.music {
        service::music(music, "music", findings);
    }
    let defaults = &document.defaults.employee;
    findings.time("defaults.employee.ring", defaults.ring, SECOND..=600 * SECOND);
    people::caller_id(document, "defaults.employee.caller_id", defaults.caller_id.as_deref(), findings);
    if let Some(retention) = document.recording.retention {
        findings.time("recording.retention", retention, DAY..=3650 * DAY);
    }
    if let Some(after) = document.recording.resume_after {
        findings.time("recording.resume_after", after, 5 * SECOND..=HOUR);
    }
    recording_keys(document, findings);
    amounts(document, findings);
}

/// Keys that begin other keys would never let those be pressed.
fn recording_keys(document: &Document, findings: &mut Findings) {
    let keys = &document.recording.keys;
    for (path, keys) in [("recording.keys.record", &keys.record), ("recording.keys.pause", &keys.pause)] {
        if let Some(keys) = keys {
            findings.check(path, text::keys(keys));
        }
    }
    if let (Some(record), Some(pause)) = (&keys.record, &keys.pause)
        && (record.starts_with(&**pause) || pause.starts_with(&**record))
    {
        let message = format!("`{pause}` and `{record}` can't be told; allowed: keys that tell them apart");
        findings.add("recording.keys.pause", message);
    }
}

fn amounts(document: &Document, findings: &mut Findings) {
    for (path, length) in [
        ("trunks", document.trunks.len()),
        ("numbers", document.numbers.len()),
        ("employees", document.employees.len()),
        ("groups", document.groups.len()),
        ("schemes", document.schemes.len()),
        ("conferences", document.conferences.len()),
        ("voicemail", document.voicemail.len()),
    ] {
        if length > MOST {
            findings.add(path, format!("{length} are too many; allowed: up to {MOST}"));
        }
    }
}

/// Problems as they are found.
#[derive(Debug, Default)]
struct Findings {
    problems: Vec<Problem>,
}

impl Findings {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { path: path.into(), message: message.into() });
    }

    fn check(&mut self, path: impl Into<String>, outcome: Result<(), String>) {
        if let Err(message) = outcome {
            self.add(path, message);
        }
    }

    fn time(&mut self, path: impl Into<String>, value: Duration, allowed: RangeInclusive<u64>) {
        let (least, most) = (Duration(*allowed.start()), Duration(*allowed.end()));
        if !allowed.contains(&value.0) {
            self.add(path, format!("{value} is out of bounds; allowed: {least} to {most}"));
        }
    }

    fn number<N: PartialOrd + Display>(
        &mut self,
        path: impl Into<String>,
        value: N,
        allowed: RangeInclusive<N>,
    ) {
        if !allowed.contains(&value) {
            let (least, most) = (allowed.start(), allowed.end());
            self.add(path, format!("{value} is out of bounds; allowed: {least} to {most}"));
        }
    }
}

/// Finds the second use of what must be used once.
#[derive(Debug, Default)]
struct Once {
    seen: BTreeMap<String, String>,
}

impl Once {
    fn check(&mut self, what: &str, value: &str, path: String, findings: &mut Findings) {
        match self.seen.get(value) {
            Some(first) => {
                findings.add(path, format!("{what} `{value}` is taken already by {first}; allowed: one use"))
            }
            None => {
                self.seen.insert(value.to_owned(), path);
            }
        }
    }
}
