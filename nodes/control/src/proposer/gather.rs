//! Commands that wait for the next entry.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::Pending;

/// Commands in one entry at most.
const BATCH: usize = 512;
/// From the beginning of one entry to that of the next, unless enough has gathered: an entry costs about as much as ten
/// commands in it.
const SPACING: Duration = Duration::from_millis(2);
const ENOUGH: usize = 16;

#[derive(Debug)]
pub(super) struct Gathering {
    queue: mpsc::UnboundedReceiver<Pending>,
    batch: Vec<Pending>,
    next: Instant,
}

impl Gathering {
    pub(super) fn new(queue: mpsc::UnboundedReceiver<Pending>) -> Self {
        Self { queue, batch: Vec::new(), next: Instant::now() }
    }

    /// Waits until an entry should begin: something has come in, and it is enough or the spacing has passed. False when
    /// nobody can propose any more. May be given up and called again: what has been gathered stays.
    pub(super) async fn fill(&mut self) -> bool {
        if self.batch.is_empty() && self.queue.recv_many(&mut self.batch, BATCH).await == 0 {
            return false;
        }
        while self.batch.len() < ENOUGH && self.next > Instant::now() {
            let more = self.queue.recv_many(&mut self.batch, ENOUGH);
            if !matches!(timeout_at(self.next, more).await, Ok(1..)) {
                break;
            }
        }
        while self.batch.len() < BATCH
            && let Ok(pending) = self.queue.try_recv()
        {
            self.batch.push(pending);
        }
        true
    }

    /// What has been gathered, for an entry that begins now.
    pub(super) fn take(&mut self) -> Vec<Pending> {
        self.next = Instant::now() + SPACING;
        std::mem::take(&mut self.batch)
    }
}
