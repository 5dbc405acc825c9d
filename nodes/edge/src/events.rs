//! Gives control what happened here: per group numbered, in order, kept until acknowledged, tried again while
//! nobody leads. Many events travel in one delivery, and one delivery of a group is under way at a time, so
//! batches grow by themselves when control is slow.

mod delivery;
mod queue;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mangrove_proto::{
    common,
    edge::{EdgeEvent, edge_event::Fact},
    service,
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::queue::Queue;
use crate::{clock::Clock, metrics::EVENTS_LOST, options::Options};

/// At so many times `Limits::waiting_events` a group takes no request any more, hang-ups included.
const OVERFULL: usize = 5;
/// At so many times it loses what nobody can be told to send again: responses, ACKs, failures. Above the other, so
/// that a request let through is never lost after its transaction began, however many come at once.
const LOST: usize = 6;

/// Where an event goes.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    pub(crate) group: u64,
    pub(crate) tenant: Arc<str>,
    /// Empty for what starts something new.
    pub(crate) leg: String,
}

/// The edge's outgoing events, of all groups.
#[derive(Debug)]
pub(crate) struct Events {
    control: Arc<dyn service::Control>,
    sender: common::Sender,
    clock: Clock,
    limit: usize,
    batch: usize,
    deliver_time: Duration,
    groups: RwLock<HashMap<u64, Arc<Group>>>,
    waiting: AtomicUsize,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// False while another edge of the same name reports still.
    open: watch::Sender<bool>,
}

#[derive(Debug)]
struct Group {
    number: u64,
    queue: Mutex<Queue>,
    wake: Notify,
}

impl Events {
    pub(crate) fn new(options: &Options, control: Arc<dyn service::Control>, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            control,
            sender: common::Sender { node: options.node.clone(), run: options.run },
            clock,
            limit: options.limits.waiting_events.max(1),
            batch: options.limits.batch.max(1),
            deliver_time: options.limits.deliver_time,
            groups: RwLock::default(),
            waiting: AtomicUsize::new(0),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            open: watch::channel(!options.joins).0,
        })
    }

    /// Queues an event, and gives its place among those of its group; none when it is lost. One with `expires_at` (monotonic) is
    /// forgotten if it was never sent by then.
    pub(crate) fn push(self: &Arc<Self>, to: Recipient, fact: Fact, expires_at: Option<u64>) -> Option<u64> {
        let group = self.group(to.group);
        let event = EdgeEvent { sequence: 0, tenant: to.tenant.to_string(), leg: to.leg, fact: Some(fact) };
        let mut queue = group.queue.lock();
        if queue.len() >= self.limit.saturating_mul(LOST) {
            metrics::counter!(EVENTS_LOST).increment(1);
            return None;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let place = queue.push(event, expires_at, self.clock.now());
        drop(queue);
        group.wake.notify_one();
        Some(place)
    }

    /// Whether nothing is to be done any more for the event of the group that has this place: control took it, refused it, or it
    /// expired.
    pub(crate) fn is_over(&self, group: u64, place: u64) -> bool {
        self.groups.read().get(&group).is_some_and(|group| group.queue.lock().is_over(place))
    }

    /// Whether so many events of the group wait that nothing new should be begun, nor changed in what lives.
    pub(crate) fn is_full(&self, group: u64) -> bool {
        self.hold(group, self.limit)
    }

    /// Whether so many wait that a request would get no further: it must be refused before a transaction keeps its
    /// repetitions from being heard.
    pub(crate) fn is_overfull(&self, group: u64) -> bool {
        self.hold(group, self.limit.saturating_mul(OVERFULL))
    }

    /// Since when (monotonic) events of the group wait and control takes none; none when nothing waits.
    pub(crate) fn stalled_since(&self, group: u64) -> Option<u64> {
        self.groups.read().get(&group)?.queue.lock().stalled_since()
    }

    fn hold(&self, group: u64, count: usize) -> bool {
        self.groups.read().get(&group).is_some_and(|group| group.queue.lock().len() >= count)
    }

    /// What waits may be delivered from now on.
    pub(crate) fn begin(&self) {
        self.open.send_replace(true);
    }

    /// Events not acknowledged yet, of all groups.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits until control has everything, at most for `patience`, then stops delivering.
    pub(crate) async fn finish(&self, patience: Duration) {
        self.tasks.close();
        let until = tokio::time::Instant::now() + patience;
        while self.waiting() > 0 && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if self.waiting() > 0 {
            tracing::warn!(events = self.waiting(), "stopping with events that control never took");
        }
        self.stop.cancel();
        self.tasks.wait().await;
    }

    fn group(self: &Arc<Self>, number: u64) -> Arc<Group> {
        if let Some(group) = self.groups.read().get(&number) {
            return group.clone();
        }
        let mut groups = self.groups.write();
        let begin = || {
            let group = Arc::new(Group { number, queue: Mutex::default(), wake: Notify::new() });
            self.tasks.spawn(delivery::run(self.clone(), group.clone()));
            group
        };
        groups.entry(number).or_insert_with(begin).clone()
    }
}
