//! Talks that go on until somebody lets them end, however long what happens meanwhile takes.

use tokio::sync::watch;

/// Whether talks may end, as callers and agents see it.
#[derive(Debug, Clone)]
pub(crate) struct Hold(watch::Receiver<bool>);

impl Hold {
    /// Talks may end; by the sender they may not for a while.
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (held, seen) = watch::channel(false);
        (held, Self(seen))
    }

    /// Returns once talks may end.
    pub(crate) async fn is_over(&mut self) {
        // Of a run that has ended nobody holds anything.
        let _ = self.0.wait_for(|held| !held).await;
    }
}

#[cfg(test)]
mod tests {
    use super::Hold;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn talks_may_end_until_they_are_held_and_once_they_are_released() {
        let (held, mut hold) = Hold::new();
        let mut ends = async || timeout(Duration::from_secs(60), hold.is_over()).await.is_ok();
        assert!(ends().await);
        held.send_replace(true);
        assert!(!ends().await);
        held.send_replace(false);
        assert!(ends().await);
        held.send_replace(true);
        drop(held);
        assert!(ends().await, "of a run that has ended nobody holds anything");
    }
}
