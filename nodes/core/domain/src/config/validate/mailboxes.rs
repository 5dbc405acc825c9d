//! Boxes for messages: one owner each, and no name twice.

use super::{Findings, HOUR, Names, Once, SECOND, text};
use crate::config::document::{Document, Mailbox};

pub(super) fn mailboxes(document: &Document, names: &Names<'_>, findings: &mut Findings) {
    let mut once = Once::default();
    for (at, mailbox) in document.voicemail.iter().enumerate() {
        let path = format!("voicemail[{at}]");
        findings.check(format!("{path}.name"), text::id(&mailbox.name));
        once.check("box", &mailbox.name, format!("{path}.name"), findings);
        owner(mailbox, &path, names, findings);
        if let Some(greeting) = &mailbox.greeting {
            findings.check(format!("{path}.greeting"), text::name(greeting));
        }
        findings.time(format!("{path}.longest"), mailbox.longest, 5 * SECOND..=HOUR);
        if let Some(email) = &mailbox.email {
            findings.check(format!("{path}.email"), text::address(email));
        }
    }
}

fn owner(mailbox: &Mailbox, path: &str, names: &Names<'_>, findings: &mut Findings) {
    match (&mailbox.employee, &mailbox.group) {
        (Some(employee), None) => {
            findings.check(format!("{path}.employee"), names.employee(employee).map(drop));
        }
        (None, Some(group)) => findings.check(format!("{path}.group"), names.group(group).map(drop)),
        (None, None) => findings.add(path, "the box has no owner; allowed: employee or group"),
        (Some(_), Some(_)) => findings.add(path, "the box has two owners; allowed: employee or group"),
    }
}
