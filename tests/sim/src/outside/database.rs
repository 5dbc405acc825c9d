//! The database behind control's outbox: call records, upserted by call as `nodes/history` does it.

use std::collections::BTreeMap;

use mangrove_history::Batch;
use mangrove_proto::{id::CallId, live::Cdr};

/// Its table of calls, and how it is.
#[derive(Debug, Default)]
pub(crate) struct Database {
    rows: Vec<Cdr>,
    by_key: BTreeMap<CallId, usize>,
    /// It answers nobody.
    pub(crate) down: bool,
    /// It refuses everybody.
    pub(crate) refuses: bool,
}

impl Database {
    /// Whether the batch was taken; no answer at all from one that is down. Without a key a row is added each time.
    pub(crate) fn write(&mut self, batch: &Batch, keyed: bool) -> Option<bool> {
        if self.down {
            return None;
        }
        if self.refuses {
            return Some(false);
        }
        for cdr in &batch.cdrs {
            match self.by_key.get(&cdr.call).filter(|_| keyed) {
                Some(row) => self.rows[*row] = cdr.clone(),
                None => {
                    self.by_key.insert(cdr.call, self.rows.len());
                    self.rows.push(cdr.clone());
                }
            }
        }
        Some(true)
    }

    /// The records of the calls of this caller.
    pub(crate) fn of<'d>(&'d self, caller: &'d str) -> impl Iterator<Item = &'d Cdr> {
        self.rows.iter().filter(move |cdr| cdr.caller == caller)
    }

    /// All records.
    pub(crate) fn rows(&self) -> &[Cdr] {
        &self.rows
    }
}
