//! Empties a group's outbox into the database: records stay in State until SQL has them, and are upserted by their own
//! key, so that a record written twice (the answer got lost, another leader repeats it) is one record. The stories of
//! forgotten calls are written once more on the way: lines came after their records. So are those of calls that go on in
//! another group, whose nodes were not told the beginning.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use mangrove_domain::{Command, Origin, Record};
use mangrove_history::{Audit, Batch, Ledger, Story};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::{
    clock::Clock,
    machine::Shared,
    metrics,
    progress::Progress,
    proposer::Proposer,
    storybook::{Draft, Key, Storybook},
};

/// Records in one transaction.
const BATCH: usize = 200;
/// How long the first record waits for others: a transaction costs a sync of the disk, however many it carries.
const GATHER: Duration = Duration::from_millis(100);
/// How long records wait after a failure before they are tried again.
const RETRY: Duration = Duration::from_secs(1);
/// A database that takes nothing for this long is an operator's business.
const ALARMING: Duration = Duration::from_secs(3);

/// A group's outbox task, to be woken when records came in.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    work: Arc<Notify>,
    owed: Owed,
}

/// Calls whose stories are to be written here for the last time.
type Owed = Arc<Mutex<BTreeMap<Key, Then>>>;

/// What comes of a story that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Then {
    Keep,
    Drop,
}

/// Groups whose records the database does not take, since when and why. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waits(Arc<Mutex<BTreeMap<u32, (Instant, String)>>>);

impl Waits {
    /// A sentence for operators once records have waited for a while.
    pub(crate) fn alarm(&self, now: Instant) -> Option<String> {
        let waits = self.0.lock();
        let (since, why) = waits.values().min_by_key(|(since, _)| *since)?;
        let lasts = now.duration_since(*since);
        (lasts >= ALARMING).then(|| {
            format!(
                "call records wait for the database for {} s: {why}; they are kept in the log until it takes them",
                lasts.as_secs()
            )
        })
    }

    fn failed(&self, group: u32, why: String) {
        let now = Instant::now();
        self.0.lock().entry(group).or_insert_with(|| (now, String::new())).1 = why;
    }

    fn works(&self, group: u32) {
        self.0.lock().remove(&group);
    }
}

#[derive(Debug)]
pub(crate) struct Parts {
    pub group: u32,
    /// The cluster's: one founded anew over the same database has other records of the same number.
    pub incarnation: u64,
    pub shared: Shared,
    pub progress: Progress,
    pub proposer: Proposer,
    pub history: Arc<dyn Ledger>,
    pub stories: Storybook,
    pub leading: watch::Receiver<Option<Clock>>,
    pub waits: Waits,
}

impl Outbox {
    pub(crate) fn start(parts: Parts) -> Self {
        let outbox = Self { work: Arc::new(Notify::new()), owed: Owed::default() };
        tokio::spawn(run(parts, outbox.clone()));
        outbox
    }

    /// Writes these calls' stories for the last time; they leave memory then.
    pub(crate) fn forget(&self, calls: BTreeSet<Key>) {
        self.owe(calls, Then::Drop);
    }

    /// Writes these calls' stories as far as they are known here; others go on with them.
    pub(crate) fn hand_on(&self, calls: BTreeSet<Key>) {
        self.owe(calls, Then::Keep);
    }

    fn owe(&self, calls: BTreeSet<Key>, then: Then) {
        if !calls.is_empty() {
            owe(&mut self.owed.lock(), calls, then);
            self.wake();
        }
    }

    pub(crate) fn wake(&self) {
        self.work.notify_one();
    }
}

async fn run(parts: Parts, outbox: Outbox) {
    loop {
        outbox.work.notified().await;
        tokio::time::sleep(GATHER).await;
        while parts.leading.borrow().is_some() {
            match parts.deliver(&outbox.owed).await {
                Ok(0) => break,
                Ok(_) => parts.waits.works(parts.group),
                Err(error) => {
                    tracing::warn!(group = parts.group, %error, "records wait for the database");
                    if let Failure::History(error) = error {
                        parts.waits.failed(parts.group, error.to_string());
                    }
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        parts.waits.works(parts.group);
    }
}

impl Parts {
    /// Moves one batch; returns its size. The shard has put all lines up to the records' own into the stories before.
    async fn deliver(&self, owed: &Mutex<BTreeMap<Key, Then>>) -> Result<usize, Failure> {
        let current = self.shared.get();
        self.progress.reached(current.index).await;
        let state = current.state;
        metrics::outbox(self.group, state.outbox_len());
        let named = |number| {
            let here = Origin { incarnation: self.incarnation, group: self.group, number };
            state.origin(number).unwrap_or(here)
        };
        let of = |(number, record): (u64, &Record)| (number, named(number), record.clone());
        let batch: Vec<(u64, Origin, Record)> = state.outbox().take(BATCH).map(of).collect();
        let last: Vec<(Key, Then)> =
            owed.lock().iter().take(BATCH).map(|(key, then)| (key.clone(), *then)).collect();
        self.write(&batch, &last).await?;
        if let Some((up_to, ..)) = batch.last() {
            self.proposer
                .propose(Command::OutboxDelivered { up_to: *up_to })
                .await
                .map_err(Failure::Group)?;
        }
        for (key, then) in &last {
            if *then == Then::Drop {
                self.stories.drop_story(key);
            }
            settle(&mut owed.lock(), key, *then);
        }
        Ok(batch.len() + last.len())
    }

    async fn write(
        &self,
        batch: &[(u64, Origin, Record)],
        last: &[(Key, Then)],
    ) -> Result<(), mangrove_history::Error> {
        let mut rows = Batch::default();
        let mut drafts = Vec::new();
        for (_, origin, record) in batch {
            match record {
                Record::Cdr(cdr) => {
                    let key = (cdr.tenant.clone(), cdr.call);
                    drafts.extend(self.stories.draft(&key).map(|draft| (key, draft)));
                    rows.cdrs.push(cdr.clone());
                }
                Record::Audit(audit) => rows.audits.push(self.audit(origin, audit)),
                Record::LateRecording(late) => rows.late.push(late.clone()),
            }
        }
        let later = last.iter().filter_map(|(key, _)| Some((key.clone(), self.stories.unwritten(key)?)));
        drafts.extend(later);
        let mut written = Vec::new();
        for (key, draft) in drafts {
            written.push((key.clone(), draft.added));
            rows.stories.extend(story(key, draft));
        }
        self.history.write(&rows).await?;
        written.iter().for_each(|(key, added)| self.stories.wrote(key, *added));
        Ok(())
    }

    fn audit(&self, origin: &Origin, audit: &mangrove_domain::Audit) -> Audit {
        Audit {
            key: audit_key(audit.tenant.as_str(), origin),
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

fn owe(owed: &mut BTreeMap<Key, Then>, calls: BTreeSet<Key>, then: Then) {
    for key in calls {
        let known = owed.entry(key).or_insert(then);
        *known = then.max(*known);
    }
}

/// What was owed is done, unless more of it came to be owed meanwhile.
fn settle(owed: &mut BTreeMap<Key, Then>, key: &Key, done: Then) {
    if owed.get(key).is_some_and(|then| *then <= done) {
        owed.remove(key);
    }
}

fn story((tenant, call): Key, draft: Draft) -> Option<Story> {
    let at = draft.entries.first()?.at;
    Some(Story { tenant, call, at, entries: draft.entries })
}

/// Names a line for ever. Padded, so that lines of one instant stand in their order.
fn audit_key(tenant: &str, Origin { incarnation, group, number }: &Origin) -> String {
    format!("{tenant}/{incarnation:016x}/{group:05}/{number:020}")
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    History(#[from] mangrove_history::Error),
    #[error(transparent)]
    Group(mangrove_proto::service::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_takes_nothing_for_a_while_is_told_until_it_does() {
        let (waits, now) = (Waits::default(), Instant::now());
        assert_eq!(waits.alarm(now + ALARMING), None);
        waits.failed(1, "away".into());
        waits.failed(2, "away".into());
        assert_eq!(waits.alarm(now), None, "once is nothing");
        assert!(waits.alarm(now + 2 * ALARMING).is_some_and(|alarm| alarm.contains("away")));
        waits.works(1);
        assert!(waits.alarm(now + 2 * ALARMING).is_some(), "another group's wait on");
        waits.works(2);
        assert_eq!(waits.alarm(now + 2 * ALARMING), None);
    }

    #[test]
    fn a_story_that_came_to_be_forgotten_while_it_was_written_is_written_once_more() {
        let key: Key = ("acme".into(), mangrove_proto::id::CallId(1));
        let mut owed = BTreeMap::new();
        owe(&mut owed, [key.clone()].into(), Then::Keep);
        owe(&mut owed, [key.clone()].into(), Then::Drop);
        owe(&mut owed, [key.clone()].into(), Then::Keep);
        settle(&mut owed, &key, Then::Keep);
        assert_eq!(owed.get(&key), Some(&Then::Drop));
        settle(&mut owed, &key, Then::Drop);
        assert!(owed.is_empty());
    }

    #[test]
    fn audit_keys_are_in_order_and_another_founding_has_its_own() {
        let key = |incarnation, number| audit_key("acme", &Origin { incarnation, group: 2, number });
        assert!(key(7, 9) < key(7, 10));
        assert_ne!(key(7, 9), key(8, 9));
    }
}
