//! One source's stream: opened, read, and opened again after a pause for as long as the node is a source.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use mangrove_proto::service::{Error, RouteFeed, RouteUpdates};
use tokio::{sync::watch, time};

use super::{copy::Known, merge::Misfit};

/// How long a stream may be silent, its opening included: a load is told every second.
const SILENCE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why a stream has ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error(transparent)]
    Misfit(#[from] Misfit),
    #[error(transparent)]
    Failed(#[from] Error),
    #[error("it said nothing for {SILENCE:?}")]
    Silent,
    #[error("it ended the stream")]
    Ended,
}

/// Listens until the node is a source no more.
pub(super) async fn run(known: Arc<Known>, name: String, mut given: watch::Receiver<Arc<dyn RouteFeed>>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let feed = given.borrow_and_update().clone();
        let Err(end) = listen(&known, &name, &*feed, &mut pause).await;
        known.lose(&name);
        if matches!(end, End::Misfit(Misfit::Dismissed)) {
            return;
        }
        match end {
            End::Misfit(_) => tracing::warn!(source = name, %end, "routes of a control node are not taken"),
            _ => tracing::debug!(source = name, %end, "a control node's routes are not heard"),
        }
        // A new way to the node is tried at once.
        let changed = time::timeout(pause, given.changed()).await;
        if changed.is_ok_and(|sender| sender.is_err()) {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Reads one stream to its end.
async fn listen(
    known: &Known,
    name: &str,
    feed: &dyn RouteFeed,
    pause: &mut Duration,
) -> Result<std::convert::Infallible, End> {
    let request = known.begin(name).ok_or(Misfit::Dismissed)?;
    let opening = time::timeout(SILENCE, feed.watch(request)).await;
    let mut updates: RouteUpdates = opening.map_err(|_| End::Silent)??;
    loop {
        let next = time::timeout(SILENCE, updates.next()).await.map_err(|_| End::Silent)?;
        known.take(name, next.ok_or(End::Ended)??)?;
        *pause = FIRST_PAUSE;
    }
}
