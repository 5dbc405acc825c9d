//! Conferences.

use super::{Findings, Once, people, text};
use crate::config::document::{Conference, Document, Secret};

pub(super) fn conferences(document: &Document, findings: &mut Findings) {
    let mut once = Once::default();
    for (at, conference) in document.conferences.iter().enumerate() {
        let path = format!("conferences[{at}]");
        findings.check(format!("{path}.name"), text::id(&conference.name));
        once.check("conference", &conference.name, format!("{path}.name"), findings);
        if let Some(extension) = &conference.extension {
            findings.check(format!("{path}.extension"), text::extension(extension));
        }
        if let Some(most) = conference.max_people {
            findings.number(format!("{path}.max_people"), most, 2..=100_000);
        }
        pins(conference, &path, findings);
    }
}

fn pins(conference: &Conference, path: &str, findings: &mut Findings) {
    let Conference { pin, moderator_pin, .. } = conference;
    for (key, secret) in [("pin", pin), ("moderator_pin", moderator_pin)] {
        people::told(format!("{path}.{key}"), secret.as_ref(), text::pin, findings);
    }
    let is_same = matches!((pin, moderator_pin),
        (Some(Secret::Text(pin)), Some(Secret::Text(moderators))) if pin == moderators && !pin.is_empty());
    if is_same {
        findings.add(
            format!("{path}.moderator_pin"),
            "this is everybody's PIN too; allowed: another one than `pin`",
        );
    }
}
