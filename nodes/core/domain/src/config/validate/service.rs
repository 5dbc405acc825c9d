//! Groups with their queues, and schemes.

use super::{DAY, Findings, HOUR, Names, Once, PRIORITY, SECOND, text};
use crate::{
    config::{
        Music, Said,
        document::{Document, Group, Step},
    },
    speech,
};

/// Longest list of steps.
const STEPS: usize = 100;
/// Longest list of pieces of music.
const PIECES: usize = 50;

pub(super) fn groups(document: &Document, names: &Names<'_>, findings: &mut Findings) {
    let mut ids = Once::default();
    for (at, group) in document.groups.iter().enumerate() {
        let path = format!("groups[{at}]");
        findings.check(format!("{path}.extension"), text::extension(&group.extension));
        if group.id.is_some() {
            findings.check(format!("{path}.id"), text::id(group.id()));
        }
        ids.check(
            "id",
            group.id(),
            format!("{path}.{}", if group.id.is_some() { "id" } else { "extension" }),
            findings,
        );
        findings.check(format!("{path}.name"), text::label(&group.name));
        members(group, &path, names, findings);
        queue(group, &path, findings);
        for (key, steps) in group.overflow.lists() {
            list(steps, &format!("{path}.overflow.{key}"), names, findings);
        }
    }
}

fn members(group: &Group, path: &str, names: &Names<'_>, findings: &mut Findings) {
    let mut once = Once::default();
    for (at, member) in group.members.iter().enumerate() {
        let path = format!("{path}.members[{at}]");
        match names.employee(&member.extension) {
            Ok(id) => once.check("member", id.as_str(), path.clone(), findings),
            Err(message) => findings.add(path.clone(), message),
        }
        findings.number(format!("{path}.priority"), member.priority, 0..=1000);
    }
}

fn queue(group: &Group, path: &str, findings: &mut Findings) {
    findings.time(format!("{path}.ring"), group.ring, SECOND..=600 * SECOND);
    findings.time(format!("{path}.wrap_up"), group.wrap_up, 0..=HOUR);
    findings.time(format!("{path}.no_answer.pause"), group.no_answer.pause, 0..=600 * SECOND);
    findings.number(format!("{path}.no_answer.misses"), group.no_answer.misses, 0..=1000);
    let queue = &group.queue;
    if let Some(wait) = queue.max_wait {
        findings.time(format!("{path}.queue.max_wait"), wait, SECOND..=DAY);
    }
    if let Some(length) = queue.max_length {
        findings.number(format!("{path}.queue.max_length"), length, 1..=100_000);
    }
    music(&queue.music, &format!("{path}.queue.music"), findings);
    if let Some(announce) = &queue.announce {
        let path = format!("{path}.queue.announce");
        findings.time(format!("{path}.every"), announce.every, 10 * SECOND..=HOUR);
        if !announce.position && !announce.expected_wait {
            findings.add(
                path,
                "this says nothing; allowed: position, expected_wait or both, or no announce at all",
            );
        }
    }
    findings.number(format!("{path}.queue.service_level.seconds"), queue.service_level.seconds, 1..=3600);
    findings.number(format!("{path}.queue.service_level.percent"), queue.service_level.percent, 1..=100);
}

/// The pieces of a group's or of the company's music.
pub(super) fn music(music: &Music, path: &str, findings: &mut Findings) {
    let pieces = music.pieces();
    if pieces.len() > PIECES {
        findings.add(path, format!("{} pieces are too many; allowed: up to {PIECES}", pieces.len()));
    }
    for (at, piece) in pieces.iter().enumerate() {
        let place = if pieces.len() > 1 { format!("{path}[{at}]") } else { path.to_owned() };
        findings.check(place, text::name(piece));
    }
}

pub(super) fn schemes(document: &Document, names: &Names<'_>, findings: &mut Findings) {
    let mut once = Once::default();
    for (at, scheme) in document.schemes.iter().enumerate() {
        let path = format!("schemes[{at}]");
        findings.check(format!("{path}.name"), text::name(&scheme.name));
        once.check("scheme name", &scheme.name, format!("{path}.name"), findings);
        if scheme.steps.is_empty() {
            findings.add(
                format!("{path}.steps"),
                "there are no steps; allowed: 1 to 100 of play, say, group, employee, conference, voicemail, busy, hang_up",
            );
        }
        list(&scheme.steps, &format!("{path}.steps"), names, findings);
    }
}

fn list(steps: &[Step], path: &str, names: &Names<'_>, findings: &mut Findings) {
    if steps.len() > STEPS {
        findings.add(path, format!("{} steps are too many; allowed: up to {STEPS}", steps.len()));
    }
    for (at, step) in steps.iter().enumerate() {
        let path = format!("{path}[{at}]");
        match step {
            Step::Play(prompt) => findings.check(format!("{path}.play"), text::name(prompt)),
            Step::Group(group) => {
                findings.check(format!("{path}.group"), names.group(&group.extension).map(drop));
                findings.number(format!("{path}.group.priority"), group.priority.unwrap_or(0), PRIORITY);
            }
            Step::Employee(person) => {
                findings.check(format!("{path}.employee"), names.employee(person).map(drop))
            }
            Step::Conference(name) => findings.check(format!("{path}.conference"), names.conference(name)),
            Step::Say(Said::Number(number)) => {
                findings.number(format!("{path}.say.number"), *number, 0..=speech::LARGEST)
            }
            Step::Say(Said::Time) | Step::Busy(true) => {}
            Step::Voicemail(step) => {
                findings.check(format!("{path}.voicemail"), names.mailbox(&step.mailbox));
                if let Some(greeting) = &step.greeting {
                    findings.check(format!("{path}.voicemail.greeting"), text::name(greeting));
                }
            }
            Step::Busy(false) => findings.add(format!("{path}.busy"), "`false` says nothing; allowed: true"),
            Step::HangUp(how) => {
                findings.number(format!("{path}.hang_up.status"), how.status.unwrap_or(480), 400..=699);
            }
        }
    }
}
