//! The object store, with a limit to each single operation: one that never answers fails, and however much there is to
//! do in all, it may take its time.

use std::time::Duration;

use futures::{Stream, StreamExt, stream::BoxStream};
use object_store::{Error, Result};

use super::open::Ticket;
use crate::metrics::RECORDING_FAILURES;

/// One operation may take this long.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Repeats an attempt, slower and slower, until it succeeds.
pub(super) async fn insist<T, F>(what: &'static str, ticket: &Ticket, attempt: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let why = match attempt().await {
            Ok(value) => return value,
            Err(error) => error.to_string(),
        };
        metrics::counter!(RECORDING_FAILURES).increment(1);
        tracing::warn!(what, recording = ticket.recording, why, "the object store failed, trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
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
