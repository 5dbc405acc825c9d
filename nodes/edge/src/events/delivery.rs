//! The task that delivers one group's events.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use mangrove_proto::{
    common,
    edge::{EdgeEvent, EdgeEvents},
    service,
};
use tokio::time;

use super::{Events, Group};
use crate::metrics::{DELIVERIES_RETRIED, EVENTS_DELIVERED, EVENTS_LOST};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Delivers until the events are told to stop.
pub(super) async fn run(events: Arc<Events>, group: Arc<Group>) {
    let mut open = events.open.subscribe();
    // The sender is the events' own: it can't be gone.
    let _ = events.stop.run_until_cancelled(open.wait_for(|open| *open)).await;
    let mut pause = FIRST_PAUSE;
    while !events.stop.is_cancelled() {
        let batch = events.next_batch(&group);
        if batch.is_empty() {
            events.stop.run_until_cancelled(group.wake.notified()).await;
        } else if events.deliver(&group, batch).await {
            pause = FIRST_PAUSE;
        } else {
            metrics::counter!(DELIVERIES_RETRIED).increment(1);
            events.stop.run_until_cancelled(time::sleep(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Events {
    fn next_batch(&self, group: &Group) -> Vec<EdgeEvent> {
        let (batch, expired) = group.queue.lock().batch(self.clock.now(), self.batch);
        if expired > 0 {
            tracing::warn!(group = group.number, expired, "new calls gave up before the group had a leader");
            self.lose(expired);
        }
        batch
    }

    /// True: the queue moved on. False: the same batch is to be delivered again after a pause.
    async fn deliver(&self, group: &Group, batch: Vec<EdgeEvent>) -> bool {
        let events = EdgeEvents { sender: Some(self.sender.clone()), group: group.number, events: batch };
        match time::timeout(self.deliver_time, self.control.deliver_edge(events)).await {
            Ok(Ok(ack)) => self.acknowledge(group, &ack),
            Ok(Err(error)) if !error.is_retryable() => {
                self.give_up(group, &error);
                true
            }
            Ok(Err(error)) => {
                tracing::debug!(group = group.number, %error, "events wait for a leader");
                false
            }
            Err(_) => {
                tracing::warn!(
                    group = group.number,
                    "control did not answer in time, delivering the events again"
                );
                false
            }
        }
    }

    fn acknowledge(&self, group: &Group, ack: &common::Ack) -> bool {
        let count = group.queue.lock().acknowledge(ack.sequence, self.clock.now());
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        metrics::counter!(EVENTS_DELIVERED).increment(count as u64);
        count > 0
    }

    fn give_up(&self, group: &Group, error: &service::Error) {
        let count = group.queue.lock().give_up(self.clock.now());
        tracing::error!(group = group.number, count, %error, "control refused events, they are lost");
        self.lose(count);
    }

    fn lose(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        metrics::counter!(EVENTS_LOST).increment(count as u64);
    }
}
