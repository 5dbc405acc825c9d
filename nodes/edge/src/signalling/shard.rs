//! Transactions behind locks, spread by Call-ID: the ACK of a 2xx, a CANCEL and a PRACK have branches of their own
//! but must meet their INVITE.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use mangrove_sip::{
    Message, Source,
    transaction::{Input, Key, Layer, Output},
};
use parking_lot::Mutex;
use tokio::{sync::Notify, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Signalling,
    invites::{Invites, Owner, Unanswered},
};

/// Even without timers a shard is looked after this often: for its sweep.
const IDLE: u64 = 5_000;

#[derive(Debug, Default)]
pub(crate) struct Shard {
    layer: Mutex<Layer>,
    invites: Mutex<Invites>,
    rescheduled: Notify,
}

impl Shard {
    /// Feeds the transactions. What they ask for is the caller's to do, in order.
    pub(super) fn handle(&self, input: Input) -> Vec<Output> {
        let mut outputs = self.layer.lock().handle(input);
        outputs.retain(|output| {
            let timer = matches!(output, Output::SetTimer { .. });
            if timer {
                self.rescheduled.notify_one();
            }
            !timer
        });
        outputs
    }

    pub(super) fn knows(&self, request: &Message) -> bool {
        self.layer.lock().knows(request)
    }

    pub(super) fn begin(&self, key: Key, owner: Owner, said: (&Message, &Source), now: u64) -> bool {
        let counts = self.invites.lock().begin(key, owner, said, now);
        self.rescheduled.notify_one();
        counts
    }

    pub(super) fn queued(&self, key: &Key, event: u64) {
        self.invites.lock().queued(key, event);
    }

    pub(super) fn unanswered(&self, until: u64) -> Vec<Unanswered> {
        self.invites.lock().unanswered(until)
    }

    pub(super) fn answer(&self, key: Key, response: &Message, leg: Option<Owner>, now: u64) -> bool {
        self.invites.lock().answer(key, response, leg, now)
    }

    pub(super) fn canceller(&self, key: &Key) -> Option<(Owner, Option<String>)> {
        self.invites.lock().canceller(key)
    }

    pub(super) fn leg(&self, key: &Key) -> Option<Owner> {
        self.invites.lock().leg(key)
    }

    pub(super) fn sweep(&self, now: u64) -> Option<usize> {
        self.invites.lock().sweep(now)
    }
}

#[derive(Debug)]
pub(crate) struct Shards(Vec<Arc<Shard>>);

impl Shards {
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count.max(1)).map(|_| Arc::default()).collect())
    }

    /// Where a message's transaction lives.
    pub(super) fn of(&self, message: &Message) -> &Shard {
        self.of_call(message.call_id())
    }

    /// Where the transactions of a Call-ID live.
    pub(super) fn of_call(&self, call_id: Option<&str>) -> &Shard {
        let mut hasher = DefaultHasher::new();
        call_id.hash(&mut hasher);
        let count = self.0.len() as u64;
        &self.0[(hasher.finish() % count) as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Shard> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Transactions held, of both sides.
    pub(crate) fn transactions(&self) -> usize {
        self.iter().map(|shard| shard.layer.lock().len()).sum()
    }
}

impl Signalling {
    /// Starts a task for the timers of each shard.
    pub(crate) fn start_timers(self: &Arc<Self>, tasks: &TaskTracker, stop: &CancellationToken) {
        for shard in &self.shards.0 {
            let (signalling, shard, stop) = (self.clone(), shard.clone(), stop.clone());
            tasks.spawn(async move { stop.run_until_cancelled(signalling.keep_time(&shard)).await });
        }
    }

    async fn keep_time(&self, shard: &Shard) {
        loop {
            let idle = self.clock.now() + IDLE;
            let patience = self.options.limits.answer_time.as_millis() as u64;
            let invites = shard.invites.lock().first().map(|came_at| came_at + patience);
            let next = shard.layer.lock().next_timeout().into_iter().chain(invites).fold(idle, u64::min);
            tokio::select! {
                () = time::sleep_until(self.clock.instant(next)) => self.timeout(shard),
                () = shard.rescheduled.notified() => {}
            }
        }
    }
}
