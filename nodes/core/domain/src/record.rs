//! Records on their way to SQL. They wait in the state until SQL has them, in the order of their making.

use std::sync::Arc;

use imbl::OrdMap;
use mangrove_proto::{
    id::{EmployeeId, TenantId},
    live::Cdr,
};
use serde::{Deserialize, Serialize};

/// Something that history keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A finished call. A later record of the same call takes the earlier one's place.
    Cdr(Cdr),
    /// A change that somebody made.
    Audit(Audit),
}

/// Who changed what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Whose configuration.
    pub tenant: TenantId,
    /// Unix milliseconds.
    pub at: u64,
    /// Who asked.
    pub author: Author,
    /// The configuration's version after the change; 0 where it did not change.
    pub version: u64,
    /// What changed.
    pub change: AuditChange,
}

/// Who asks for a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// A login's e-mail, or `operator`.
    pub name: String,
    /// Where from.
    pub address: String,
}

/// One changed object. Secrets are left out by whoever makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChange {
    /// `employee/anna`.
    pub object: String,
    /// `create`, `update`, `delete`, `password`.
    pub action: String,
    /// JSON; empty for what was created.
    pub before: String,
    /// JSON; empty for what was deleted.
    pub after: String,
}

impl AuditChange {
    pub(crate) fn password(employee: &EmployeeId) -> Self {
        Self {
            object: format!("employee/{employee}"),
            action: "password".into(),
            before: String::new(),
            after: String::new(),
        }
    }
}

/// The records that SQL has not confirmed, numbered from 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outbox {
    waiting: OrdMap<u64, Arc<Record>>,
    last: u64,
}

impl Outbox {
    pub(crate) fn add(&mut self, record: Record) {
        self.last += 1;
        self.waiting.insert(self.last, Arc::new(record));
    }

    pub(crate) fn delivered(&mut self, up_to: u64) {
        while let Some((number, _)) = self.waiting.get_min() {
            if *number > up_to {
                break;
            }
            let number = *number;
            self.waiting.remove(&number);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.waiting.iter().map(|(number, record)| (*number, record.as_ref()))
    }
}
