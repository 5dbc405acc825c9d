//! Records on their way to SQL. They wait in the state until SQL has them, in the order of their making.

use std::sync::Arc;

use imbl::OrdMap;
use mangrove_proto::{
    id::{EmployeeId, TenantId},
    live::{Cdr, LateRecording},
};
use serde::{Deserialize, Serialize};

/// Something that history keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A finished call. A later record of the same call takes the earlier one's place.
    Cdr(Cdr),
    /// A change that somebody made.
    Audit(Audit),
    /// A recording of a call that is forgotten here. Under [`crate::rules::keeps_late_recordings`].
    LateRecording(LateRecording),
}

impl Record {
    /// Whose it is.
    pub fn tenant(&self) -> &TenantId {
        match self {
            Self::Cdr(cdr) => &cdr.tenant,
            Self::Audit(audit) => &audit.tenant,
            Self::LateRecording(late) => &late.tenant,
        }
    }
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

/// The outbox in which a record was made: names the record for ever, wherever it goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The cluster's incarnation.
    pub incarnation: u64,
    /// The shard group.
    pub group: u32,
    /// The record's number there.
    pub number: u64,
}

/// The records that SQL has not confirmed, numbered from 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outbox {
    waiting: OrdMap<u64, Arc<Record>>,
    last: u64,
    /// Of records that were made elsewhere.
    #[serde(default)]
    origins: OrdMap<u64, Origin>,
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
            self.origins.remove(&number);
        }
    }

    pub(crate) fn origin(&self, number: u64) -> Option<Origin> {
        self.origins.get(&number).copied()
    }

    /// Takes out a tenant's records, in order; `here` names this outbox: its cluster's incarnation and its group.
    pub(crate) fn take_of(&mut self, tenant: &TenantId, here: (u64, u32)) -> Vec<(Origin, Record)> {
        let of = self.iter().filter(|(_, record)| record.tenant() == tenant);
        let taken: Vec<_> =
            of.map(|(number, record)| (number, self.named(number, here), record.clone())).collect();
        for (number, ..) in &taken {
            self.waiting.remove(number);
            self.origins.remove(number);
        }
        taken.into_iter().map(|(_, origin, record)| (origin, record)).collect()
    }

    /// The record's name, whether it was made here or elsewhere.
    pub(crate) fn named(&self, number: u64, (incarnation, group): (u64, u32)) -> Origin {
        self.origin(number).unwrap_or(Origin { incarnation, group, number })
    }

    /// Names all records that wait by this outbox, which is about to be another one.
    pub(crate) fn name_all(&mut self, here: (u64, u32)) {
        let numbers: Vec<u64> = self.waiting.keys().copied().collect();
        for number in numbers {
            self.origins.insert(number, self.named(number, here));
        }
    }

    /// Adds records that were made elsewhere.
    pub(crate) fn bring_in(&mut self, records: Vec<(Origin, Record)>) {
        for (origin, record) in records {
            self.add(record);
            self.origins.insert(self.last, origin);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.waiting.iter().map(|(number, record)| (*number, record.as_ref()))
    }
}
