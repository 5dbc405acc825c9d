//! Writes what control's outbox holds. A batch is one transaction, and a batch that comes twice changes nothing the
//! second time.

use std::collections::BTreeSet;

use mangrove_proto::live::{Cdr, LateRecording};
use sqlx::AnyConnection;

use crate::{
    Audit, Error, History, Story, audit, cdr_write,
    sql::{Sql, bounded},
    story,
};

/// Rows in one statement, for each is a way to the database's thread and back: at twelve values each far from what either
/// database takes.
const ROWS: usize = 32;

/// Records that are written together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Upserted by call: the later record of a call takes the earlier one's place, without recordings that were deleted.
    pub cdrs: Vec<Cdr>,
    /// Put into their calls' records, once.
    pub late: Vec<LateRecording>,
    /// Kept once by key.
    pub audits: Vec<Audit>,
    /// By call, each line once: what was written of it before stays.
    pub stories: Vec<Story>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        let has_calls = !self.cdrs.is_empty() || !self.late.is_empty() || !self.stories.is_empty();
        !has_calls && self.audits.is_empty()
    }
}

impl History {
    /// Writes a batch whole or not at all. Order within each list counts; of the lists, late recordings come after records.
    pub async fn write(&self, batch: &Batch) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let audits: Vec<Sql> = batch.audits.iter().map(audit::keep).collect();
        let cdrs = last_of_each(&batch.cdrs, |cdr| cdr.call);
        let stories = last_of_each(&batch.stories, |story| story.call);
        bounded("writing a batch", async {
            let mut transaction = self.writer.begin().await?;
            for cdrs in cdrs.chunks(ROWS) {
                cdr_write::write(&mut transaction, cdrs).await?;
            }
            for late in &batch.late {
                cdr_write::add(&mut transaction, late).await?;
            }
            run(&mut transaction, audits).await?;
            for stories in stories.chunks(ROWS) {
                story::write(&mut transaction, stories).await?;
            }
            transaction.commit().await
        })
        .await
    }
}

/// The last of those with the same key, in order: PostgreSQL lets a statement touch a row once only.
fn last_of_each<T, K: Ord>(all: &[T], key: impl Fn(&T) -> K) -> Vec<&T> {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<&T> = all.iter().rev().filter(|one| seen.insert(key(one))).collect();
    kept.reverse();
    kept
}

async fn run(connection: &mut AnyConnection, statements: Vec<Sql>) -> Result<(), sqlx::Error> {
    for statement in statements {
        statement.query().execute(&mut *connection).await?;
    }
    Ok(())
}
