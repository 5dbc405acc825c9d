//! What a document's texts refer to: employees and groups by extension or id, schemes and conferences by name.

use std::collections::BTreeMap;

use mangrove_proto::id::{EmployeeId, GroupId};

use crate::config::document::Document;

/// As many names are listed in a message.
const LISTED: usize = 8;

/// An index of a document. An extension goes before an id that is spelled alike.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    employees: BTreeMap<&'a str, &'a str>,
    groups: BTreeMap<&'a str, &'a str>,
    document: &'a Document,
}

impl<'a> Names<'a> {
    pub(crate) fn of(document: &'a Document) -> Self {
        let employee_ids = document.employees.iter().map(|e| (e.id(), e.id()));
        let employees = employee_ids.chain(document.employees.iter().map(|e| (e.extension.as_str(), e.id())));
        let group_ids = document.groups.iter().map(|g| (g.id(), g.id()));
        let groups = group_ids.chain(document.groups.iter().map(|g| (g.extension.as_str(), g.id())));
        Self { employees: employees.collect(), groups: groups.collect(), document }
    }

    /// The employee with this extension or id, or what to say.
    pub(crate) fn employee(&self, text: &str) -> Result<EmployeeId, String> {
        let listed = self.document.employees.iter().map(|e| e.extension.as_str());
        self.employees
            .get(text)
            .map(|id| EmployeeId::from(*id))
            .ok_or_else(|| unknown("employee", text, listed))
    }

    /// The group with this extension or id, or what to say.
    pub(crate) fn group(&self, text: &str) -> Result<GroupId, String> {
        let listed = self.document.groups.iter().map(|g| g.extension.as_str());
        self.groups.get(text).map(|id| GroupId::from(*id)).ok_or_else(|| unknown("group", text, listed))
    }

    /// Whether the scheme is there, or what to say.
    pub(crate) fn scheme(&self, text: &str) -> Result<(), String> {
        let mut names = self.document.schemes.iter().map(|s| s.name.as_str());
        if names.any(|name| name == text) {
            return Ok(());
        }
        Err(unknown("scheme", text, self.document.schemes.iter().map(|s| s.name.as_str())))
    }

    /// Whether the conference is there, or what to say.
    pub(crate) fn conference(&self, text: &str) -> Result<(), String> {
        let names = || self.document.conferences.iter().map(|conference| conference.name.as_str());
        if names().any(|name| name == text) { Ok(()) } else { Err(unknown("conference", text, names())) }
    }
}

impl Names<'_> {
    /// Whether the box is there, or what to say.
    pub(crate) fn mailbox(&self, text: &str) -> Result<(), String> {
        let names = || self.document.voicemail.iter().map(|mailbox| mailbox.name.as_str());
        if names().any(|name| name == text) { Ok(()) } else { Err(unknown("box", text, names())) }
    }
}

/// "there is no group `300`; allowed: 200, 201".
pub(crate) fn unknown<'b>(what: &str, text: &str, allowed: impl Iterator<Item = &'b str>) -> String {
    let mut names: Vec<&str> = allowed.take(LISTED + 1).collect();
    if names.is_empty() {
        return format!("there is no {what} `{text}`; this file defines no {what} at all");
    }
    if names.len() > LISTED {
        names[LISTED] = "…";
    }
    format!("there is no {what} `{text}`; allowed: {}", names.join(", "))
}
