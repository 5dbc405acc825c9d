//! What remains of calls: records, stories and the audit log, in SQL. SQLite on one machine, PostgreSQL for a
//! cluster, with the same migrations and the same statements.
//!
//! Control writes (its outbox, in batches that may come twice), consoles read. Nothing here decides anything about
//! a live call, and no live call waits for anything here.

mod audit;
mod batch;
mod cdr;
mod cdr_filter;
mod cdr_write;
mod error;
mod ledger;
mod open;
mod page;
mod retention;
mod sql;
mod story;

#[cfg(test)]
mod tests;

pub use audit::{Audit, AuditFilter};
pub use batch::Batch;
pub use cdr_filter::CdrFilter;
pub use error::Error;
pub use ledger::Ledger;
pub use open::History;
pub use page::{Listed, Page};
pub use retention::Expired;
pub use story::{Story, merge};
