//! Writes what control's outbox holds. A batch is one transaction, and a batch that comes twice changes nothing the
//! second time.

use mangrove_proto::live::Cdr;
use sqlx::AnyConnection;

use crate::{
    Audit, Error, History, Story, audit, cdr,
    sql::{Sql, bounded},
    story,
};

/// Records that are written together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Upserted by call: the later record of a call takes the earlier one's place.
    pub cdrs: Vec<Cdr>,
    /// Kept once by key.
    pub audits: Vec<Audit>,
    /// Upserted by call.
    pub stories: Vec<Story>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.cdrs.is_empty() && self.audits.is_empty() && self.stories.is_empty()
    }

    fn statements(&self) -> Result<Vec<Sql>, Error> {
        let cdrs = self.cdrs.iter().map(cdr::upsert);
        let audits = self.audits.iter().map(|audit| Ok(audit::keep(audit)));
        cdrs.chain(audits).chain(self.stories.iter().map(story::upsert)).collect()
    }
}

impl History {
    /// Writes a batch whole or not at all. Order within each list counts, order between lists does not.
    pub async fn write(&self, batch: &Batch) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let statements = batch.statements()?;
        bounded("writing a batch", async {
            let mut transaction = self.writer.begin().await?;
            run(&mut transaction, statements).await?;
            transaction.commit().await
        })
        .await
    }
}

async fn run(connection: &mut AnyConnection, statements: Vec<Sql>) -> Result<(), sqlx::Error> {
    for statement in statements {
        statement.query().execute(&mut *connection).await?;
    }
    Ok(())
}
