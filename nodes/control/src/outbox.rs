//! Empties a group's outbox into the database: records stay in State until SQL has them, and are upserted by their own
//! key, so that a record written twice (the answer got lost, another leader repeats it) is one record.

use std::{sync::Arc, time::Duration};

use mangrove_domain::{Command, Record};
use mangrove_history::{Audit, Batch, History, Story};
use mangrove_proto::live::Cdr;
use tokio::sync::{Notify, watch};

use crate::{clock::Clock, machine::Shared, metrics, proposer::Proposer, storybook::Storybook};

/// Records in one transaction.
const BATCH: usize = 200;
/// How long the first record waits for others: a transaction costs a sync of the disk, however many it carries.
const GATHER: Duration = Duration::from_millis(100);
/// How long records wait after a failure before they are tried again.
const RETRY: Duration = Duration::from_secs(1);

/// A group's outbox task, to be woken when records came in.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    work: Arc<Notify>,
}

#[derive(Debug)]
pub(crate) struct Parts {
    pub group: u32,
    pub shared: Shared,
    pub proposer: Proposer,
    pub history: History,
    pub stories: Storybook,
    pub leading: watch::Receiver<Option<Clock>>,
}

impl Outbox {
    pub(crate) fn start(parts: Parts) -> Self {
        let outbox = Self { work: Arc::new(Notify::new()) };
        tokio::spawn(run(parts, outbox.work.clone()));
        outbox
    }

    pub(crate) fn wake(&self) {
        self.work.notify_one();
    }
}

async fn run(parts: Parts, work: Arc<Notify>) {
    loop {
        work.notified().await;
        tokio::time::sleep(GATHER).await;
        while parts.leading.borrow().is_some() {
            match parts.deliver().await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(group = parts.group, %error, "records wait for the database");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}

impl Parts {
    /// Moves one batch; returns its size.
    async fn deliver(&self) -> Result<usize, Failure> {
        let state = self.shared.get().state;
        metrics::outbox(self.group, state.outbox_len());
        let batch: Vec<(u64, Record)> =
            state.outbox().take(BATCH).map(|(number, record)| (number, record.clone())).collect();
        let Some(up_to) = batch.last().map(|(number, _)| *number) else { return Ok(0) };
        self.write(&batch).await?;
        self.proposer.propose(Command::OutboxDelivered { up_to }).await.map_err(Failure::Group)?;
        Ok(batch.len())
    }

    async fn write(&self, batch: &[(u64, Record)]) -> Result<(), mangrove_history::Error> {
        let mut rows = Batch::default();
        for (number, record) in batch {
            match record {
                Record::Cdr(cdr) => {
                    rows.stories.extend(self.story(cdr));
                    rows.cdrs.push(cdr.clone());
                }
                Record::Audit(audit) => rows.audits.push(self.audit(*number, audit)),
            }
        }
        self.history.write(&rows).await
    }

    fn story(&self, cdr: &Cdr) -> Option<Story> {
        let entries = self.stories.of(&cdr.tenant, cdr.call);
        let found = !entries.is_empty();
        found.then(|| Story { tenant: cdr.tenant.clone(), call: cdr.call, at: cdr.started, entries })
    }

    fn audit(&self, number: u64, audit: &mangrove_domain::Audit) -> Audit {
        Audit {
            key: format!("{}/{}/{number}", audit.tenant, self.group),
            tenant: audit.tenant.clone(),
            at: audit.at,
            author: audit.author.name.clone(),
            address: audit.author.address.clone(),
            object: audit.change.object.clone(),
            action: audit.change.action.clone(),
            before: Audit::json(&audit.change.before),
            after: Audit::json(&audit.change.after),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    History(#[from] mangrove_history::Error),
    #[error(transparent)]
    Group(mangrove_proto::service::Error),
}
