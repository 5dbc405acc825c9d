//! Trunks and numbers.

use super::{Findings, Names, Once, PRIORITY, text};
use crate::config::document::{Document, Trunk};

pub(super) fn trunks(document: &Document, findings: &mut Findings) {
    let mut names = Once::default();
    for (at, trunk) in document.trunks.iter().enumerate() {
        let path = format!("trunks[{at}]");
        findings.check(format!("{path}.name"), text::name(&trunk.name));
        names.check("trunk name", &trunk.name, format!("{path}.name"), findings);
        one(trunk, &path, findings);
        sources(document, at, findings);
    }
}

fn one(trunk: &Trunk, path: &str, findings: &mut Findings) {
    if trunk.from.is_empty() && trunk.to.is_empty() {
        findings.add(path, "the trunk has neither `from` nor `to`; allowed: at least one of them");
    }
    for (at, target) in trunk.to.iter().enumerate() {
        findings.check(format!("{path}.to[{at}].uri"), text::target(&target.uri));
    }
    for (at, number) in trunk.caller_ids.iter().enumerate() {
        findings.check(format!("{path}.caller_ids[{at}]"), text::number(number));
    }
    if let Some(channels) = trunk.limits.channels {
        findings.number(format!("{path}.limits.channels"), channels, 1..=100_000);
    }
    if let Some(rate) = trunk.limits.calls_per_second {
        findings.number(format!("{path}.limits.calls_per_second"), rate, 1..=10_000);
    }
}

/// One source must not stand for two trunks: nobody could tell whose call it is.
fn sources(document: &Document, at: usize, findings: &mut Findings) {
    for (place, matcher) in document.trunks[at].from.iter().enumerate() {
        let earlier = document.trunks[..at].iter();
        for other in earlier.filter(|trunk| trunk.from.iter().any(|from| from.overlaps(matcher))) {
            let message = format!(
                "`{matcher}` is a source of trunk `{}` too; allowed: one trunk for a source",
                other.name
            );
            findings.add(format!("trunks[{at}].from[{place}]"), message);
        }
    }
}

pub(super) fn numbers(document: &Document, findings: &mut Findings) {
    let names = Names::of(document);
    let mut once = Once::default();
    for (at, number) in document.numbers.iter().enumerate() {
        let path = format!("numbers[{at}]");
        findings.check(format!("{path}.number"), text::number(&number.number));
        once.check("number", number.number.trim_start_matches('+'), format!("{path}.number"), findings);
        findings.check(format!("{path}.scheme"), names.scheme(&number.scheme));
        findings.number(format!("{path}.channels"), number.channels, 1..=100_000);
        findings.number(format!("{path}.priority"), number.priority, PRIORITY);
        if let Some(source) = &number.source {
            findings.check(format!("{path}.source"), text::label(source));
        }
    }
}
