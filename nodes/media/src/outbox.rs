//! Events on their way to control: numbered within their shard group, kept until acknowledged, sent in batches and in
//! order to whoever leads. Any thread may post; it never waits.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use mangrove_proto::{
    common::Sender,
    media::{MediaEvent, MediaEvents, media_event::Fact},
    service::Control,
};
use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::Notify, task::AbortHandle};

use crate::{gate::Gate, metrics::EVENTS_WAITING};

/// Events in one batch.
const BATCH: usize = 256;
/// An unanswered batch is sent again after this long.
const DEADLINE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Between two looks whether control has everything.
const LOOK: Duration = Duration::from_millis(5);

/// Whose event it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) group: u64,
    pub(crate) tenant: Arc<str>,
    pub(crate) session: Arc<str>,
}

/// The way out of a media node.
#[derive(Debug)]
pub(crate) struct Outbox {
    sender: Sender,
    control: Arc<dyn Control>,
    runtime: Handle,
    gate: Gate,
    groups: Mutex<BTreeMap<u64, Group>>,
}

#[derive(Debug)]
struct Group {
    next: u64,
    waiting: VecDeque<MediaEvent>,
    posted: Arc<Notify>,
    courier: AbortHandle,
}

impl Outbox {
    /// Nothing is sent before the gate is open.
    pub(crate) fn new(sender: Sender, control: Arc<dyn Control>, runtime: Handle, gate: Gate) -> Arc<Self> {
        Arc::new(Self { sender, control, runtime, gate, groups: Mutex::default() })
    }

    /// Numbers the fact and keeps it until control has it.
    pub(crate) fn post(self: &Arc<Self>, owner: &Owner, fact: Fact) {
        let mut groups = self.groups.lock();
        let group = groups.entry(owner.group).or_insert_with(|| self.begin(owner.group));
        group.waiting.push_back(MediaEvent {
            sequence: group.next,
            tenant: owner.tenant.to_string(),
            session: owner.session.to_string(),
            fact: Some(fact),
        });
        group.next += 1;
        group.posted.notify_one();
        metrics::gauge!(EVENTS_WAITING).increment(1.0);
    }

    /// Waits until control has everything, at most for `patience`.
    pub(crate) async fn finish(&self, patience: Duration) {
        let until = tokio::time::Instant::now() + patience;
        while self.waits() && tokio::time::Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn waits(&self) -> bool {
        self.groups.lock().values().any(|group| !group.waiting.is_empty())
    }

    /// Sends nothing more.
    pub(crate) fn stop(&self) {
        for group in self.groups.lock().values() {
            group.courier.abort();
        }
    }

    fn begin(self: &Arc<Self>, number: u64) -> Group {
        let posted = Arc::new(Notify::new());
        let courier = self.runtime.spawn(self.clone().deliver(number, posted.clone())).abort_handle();
        Group { next: 1, waiting: VecDeque::new(), posted, courier }
    }

    async fn deliver(self: Arc<Self>, group: u64, posted: Arc<Notify>) {
        self.gate.opened().await;
        let mut pause = FIRST_PAUSE;
        loop {
            let events = self.batch(group);
            if events.is_empty() {
                posted.notified().await;
                continue;
            }
            match self.send(group, events).await {
                Ok(sequence) if self.acknowledge(group, sequence) => pause = FIRST_PAUSE,
                outcome => {
                    if let Err(why) = outcome {
                        tracing::debug!(group, why, "events wait for control");
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn batch(&self, group: u64) -> Vec<MediaEvent> {
        let groups = self.groups.lock();
        groups.get(&group).map_or_else(Vec::new, |g| g.waiting.iter().take(BATCH).cloned().collect())
    }

    async fn send(&self, group: u64, events: Vec<MediaEvent>) -> Result<u64, String> {
        let events = MediaEvents { sender: Some(self.sender.clone()), group, events };
        match tokio::time::timeout(DEADLINE, self.control.deliver_media(events)).await {
            Ok(Ok(ack)) => Ok(ack.sequence),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    /// Forgets what is committed; whether that was anything.
    fn acknowledge(&self, group: u64, sequence: u64) -> bool {
        let mut groups = self.groups.lock();
        let Some(group) = groups.get_mut(&group) else { return false };
        let before = group.waiting.len();
        while group.waiting.front().is_some_and(|event| event.sequence <= sequence) {
            group.waiting.pop_front();
        }
        let done = before - group.waiting.len();
        metrics::gauge!(EVENTS_WAITING).decrement(done as f64);
        done > 0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use mangrove_proto::{common::Ack, edge::EdgeEvents, media::PlayFinished, service};

    use super::*;

    /// Fails the first calls, then acknowledges only two events a batch.
    #[derive(Debug, Default)]
    struct Control {
        failures: AtomicUsize,
        committed: Mutex<Vec<(u64, u64)>>,
    }

    #[async_trait::async_trait]
    impl service::Control for Control {
        async fn deliver_edge(&self, _: EdgeEvents) -> Result<Ack, service::Error> {
            Ok(Ack::default())
        }

        async fn deliver_media(&self, events: MediaEvents) -> Result<Ack, service::Error> {
            if self.failures.fetch_add(1, Ordering::Relaxed) < 2 {
                return Err(service::Error::NoLeader { group: events.group });
            }
            let mut committed = self.committed.lock();
            let taken: Vec<u64> = events.events.iter().take(2).map(|e| e.sequence).collect();
            committed.extend(taken.iter().map(|sequence| (events.group, *sequence)));
            Ok(Ack { sequence: *taken.last().unwrap() })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_event_arrives_once_and_in_order_whatever_fails() {
        let control = Arc::new(Control::default());
        let sender = Sender { node: "a".into(), run: 1 };
        let outbox = Outbox::new(sender, control.clone(), Handle::current(), Gate::new(true));
        for number in 0..5u64 {
            let owner = Owner { group: 1 + number % 2, tenant: "acme".into(), session: "s".into() };
            outbox.post(&owner, Fact::PlayFinished(PlayFinished::default()));
        }
        while control.committed.lock().len() < 5 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut committed = control.committed.lock().clone();
        committed.sort_unstable();
        assert_eq!(committed, [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]);
        assert!(outbox.batch(1).is_empty() && outbox.batch(2).is_empty());
    }
}
