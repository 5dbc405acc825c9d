//! How far a group's shard is behind what its machine applied: readers of the state who need the shard's work on it too
//! wait here, and a shard that is slow or stuck counts as load.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

/// Shared by a group's machine, shard and outbox.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    processed: Arc<watch::Sender<u64>>,
    /// Applied and not processed, oldest first.
    waiting: Arc<Mutex<VecDeque<(u64, Instant)>>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { processed: Arc::new(watch::channel(0).0), waiting: Arc::default() }
    }
}

impl Progress {
    /// The machine has applied this entry and told the shard.
    pub(crate) fn applied(&self, index: u64) {
        self.waiting.lock().push_back((index, Instant::now()));
    }

    /// The shard is through with all entries up to this one.
    pub(crate) fn processed(&self, index: u64) {
        let mut waiting = self.waiting.lock();
        while waiting.front().is_some_and(|(oldest, _)| *oldest <= index) {
            waiting.pop_front();
        }
        drop(waiting);
        self.processed.send_replace(index);
    }

    /// Returns once the shard is through with all entries up to this one.
    pub(crate) async fn reached(&self, index: u64) {
        let mut processed = self.processed.subscribe();
        // The sender lives as long as `self`.
        let _ = processed.wait_for(|processed| *processed >= index).await;
    }

    /// Changes with every entry that the shard is through with: whoever waits for something in the state looks again then.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.processed.subscribe()
    }

    /// Milliseconds that the oldest entry waits for the shard.
    pub(crate) fn behind_ms(&self) -> u64 {
        let oldest = self.waiting.lock().front().map(|(_, since)| *since);
        oldest.map_or(0, |since| since.elapsed().as_millis() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_shard_that_is_stuck_is_behind_since_its_oldest_entry() {
        let progress = Progress::default();
        assert_eq!(progress.behind_ms(), 0);
        progress.applied(4);
        std::thread::sleep(Duration::from_millis(20));
        progress.applied(5);
        assert!(progress.behind_ms() >= 20);
        let reached = tokio::spawn({
            let progress = progress.clone();
            async move { progress.reached(5).await }
        });
        progress.processed(4);
        assert!(progress.behind_ms() < 20, "the second one has just come");
        tokio::task::yield_now().await;
        assert!(!reached.is_finished(), "entry 5 is not processed");
        progress.processed(5);
        reached.await.expect("reached");
        assert_eq!(progress.behind_ms(), 0);
    }
}
