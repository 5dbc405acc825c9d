//! The object store, with a limit to each single operation: one that never answers fails, and however much there is to
//! do in all, it may take its time.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt, stream::BoxStream};
use object_store::{Error, Result};
use parking_lot::Mutex;

use super::open::Ticket;
use crate::metrics::RECORDING_FAILURES;

/// One operation may take this long.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A store that fails for this long is an operator's business.
const ALARMING: Duration = Duration::from_secs(3);

/// What the store fails to do now. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failing(Arc<Mutex<Struck>>);

#[derive(Debug, Default)]
struct Struck {
    next: u64,
    /// When something failed last.
    last: Option<tokio::time::Instant>,
    /// Since when, and why.
    attempts: BTreeMap<u64, (Instant, String)>,
}

/// One operation that is tried again and again. It fails no more when this goes, done or given up.
struct Attempt<'f> {
    failing: &'f Failing,
    number: u64,
}

impl Failing {
    /// Repeats an attempt, slower and slower, until it succeeds.
    pub(super) async fn insist<T, F>(&self, what: &'static str, ticket: &Ticket, attempt: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T>>,
    {
        let mut pause = FIRST_PAUSE;
        let struck = self.begin();
        loop {
            let why = match attempt().await {
                Ok(value) => return value,
                Err(error) => error.to_string(),
            };
            metrics::counter!(RECORDING_FAILURES).increment(1);
            tracing::warn!(what, recording = ticket.recording, why, "the object store failed, trying again");
            struck.failed(why);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// A sentence once the store has failed for a while. `place`: where recordings wait meanwhile.
    pub(super) fn alarm(&self, now: Instant, place: &str) -> Option<String> {
        let struck = self.0.lock();
        let (since, why) = struck.attempts.values().min_by_key(|(since, _)| *since)?;
        let lasts = now.duration_since(*since);
        let count = struck.attempts.len();
        (lasts >= ALARMING).then(|| {
            format!(
                "{count} recordings can't be written for {} s: {why}; they wait {place}, and what does not fit there \
                 is lost: make room in the object store or mend it",
                lasts.as_secs()
            )
        })
    }

    /// Whether nothing has failed for so long.
    pub(super) fn is_calm(&self, long: Duration) -> bool {
        self.0.lock().last.is_none_or(|last| last.elapsed() >= long)
    }

    fn begin(&self) -> Attempt<'_> {
        let mut struck = self.0.lock();
        struck.next += 1;
        Attempt { failing: self, number: struck.next }
    }
}

impl Attempt<'_> {
    fn failed(&self, why: String) {
        let mut struck = self.failing.0.lock();
        let now = Instant::now();
        struck.last = Some(tokio::time::Instant::now());
        struck.attempts.entry(self.number).or_insert_with(|| (now, String::new())).1 = why;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.failing.0.lock().attempts.remove(&self.number);
    }
}

/// The operation's outcome, or a failure when it takes longer than `limit`.
pub(super) async fn within<T>(limit: Duration, operation: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(limit, operation).await.unwrap_or_else(|_| Err(late()))
}

/// All items of a stream, each within the deadline.
pub(super) async fn gathered<T>(mut stream: BoxStream<'_, Result<T>>) -> Result<Vec<T>> {
    let mut items = Vec::new();
    while let Some(item) = next(&mut stream).await? {
        items.push(item);
    }
    Ok(items)
}

/// The stream's next item, within the deadline.
pub(super) async fn next<T>(stream: &mut (impl Stream<Item = Result<T>> + Unpin)) -> Result<Option<T>> {
    within(DEADLINE, async { stream.next().await.transpose() }).await
}

fn late() -> Error {
    Error::Generic { store: "recordings", source: "no answer in time".into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::recorder::tests::ticket;

    #[tokio::test(start_paused = true)]
    async fn a_store_that_fails_for_a_while_is_told_until_it_works() {
        let (failing, refuses) = (Failing::default(), Arc::new(AtomicBool::new(true)));
        let writing = tokio::spawn({
            let (failing, refuses) = (failing.clone(), refuses.clone());
            async move {
                let attempt = || async { if refuses.load(Ordering::Relaxed) { Err(late()) } else { Ok(()) } };
                failing.insist("write a part", &ticket("r"), attempt).await;
            }
        });
        while failing.0.lock().attempts.is_empty() {
            tokio::task::yield_now().await;
        }
        let now = Instant::now();
        assert_eq!(failing.alarm(now, "in memory"), None, "once is nothing");
        let alarm = failing.alarm(now + ALARMING, "in memory").unwrap();
        assert!(alarm.contains("1 recordings") && alarm.contains("no answer in time"), "{alarm}");
        refuses.store(false, Ordering::Relaxed);
        writing.await.unwrap();
        assert_eq!(failing.alarm(now + ALARMING, "in memory"), None);
    }
}
