//! A group's shard, tended: fed with what its machine applied and with who leads, and made again when it falls. What it
//! fell over is behind it then: it takes over from the state, as a new leader's shard does.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ractor::ActorRef;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::Control;
use crate::{group::Group, machine::Applied, metrics, outbox::Outbox, shard};

/// Falls in a row after which a shard is not made again.
const MOST: u32 = 5;
/// Who stood for this long begins anew.
const FORGIVEN: Duration = Duration::from_secs(60);

/// What all shards of a group work with, one after another.
#[derive(Debug)]
pub(super) struct Tools {
    pub moving: Arc<Notify>,
    pub outbox: Outbox,
}

/// A shard that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub shard: ActorRef<shard::Message>,
    pub ended: JoinHandle<()>,
}

/// Pauses that grow with each fall.
#[derive(Debug, Default)]
struct Falls {
    count: u32,
    last: Option<Instant>,
}

impl Falls {
    /// How long to wait after this fall; none when it was the last.
    fn fell(&mut self, now: Instant, first: Duration) -> Option<Duration> {
        if self.last.is_some_and(|last| now.duration_since(last) >= FORGIVEN) {
            self.count = 0;
        }
        (self.count, self.last) = (self.count + 1, Some(now));
        (self.count < MOST).then(|| first * (1 << (self.count - 1)))
    }
}

impl Control {
    /// Until the group leaves this node, or its shard has fallen too often.
    pub(super) async fn tend(
        self,
        group: Arc<Group>,
        tools: Tools,
        mut running: Running,
        mut applied: mpsc::UnboundedReceiver<Applied>,
    ) {
        let mut falls = Falls::default();
        loop {
            self.follow(&group, &mut running, &mut applied).await;
            // Without its shard the group takes no commands: better a clear 503 than a call that nobody carries out.
            if group.clock.send_replace(None).is_some() && self.is_here(&group) {
                metrics::leads(-1.0);
            }
            if !self.is_here(&group) {
                return;
            }
            tracing::error!(group = group.id, "a shard fell");
            // Those who wait for its work on what it fell over wait no longer.
            group.progress.processed(group.shared.index());
            let Some(pause) = falls.fell(Instant::now(), self.inner.pace.respawn) else {
                return self
                    .inner
                    .cluster
                    .fail(format!("group {}'s shard has ended again and again", group.id));
            };
            tokio::time::sleep(pause).await;
            if !self.is_here(&group) {
                return;
            }
            match self.start_shard(&group, &tools).await {
                Ok(next) => running = next,
                Err(error) => return self.inner.cluster.fail(error.to_string()),
            }
        }
    }

    fn is_here(&self, group: &Arc<Group>) -> bool {
        !self.is_stopping() && self.group(group.id).is_some_and(|now| Arc::ptr_eq(&now, group))
    }

    /// Feeds the shard until it ends. What was applied so far comes first: the stories must be back before their records go
    /// out.
    async fn follow(
        &self,
        group: &Group,
        running: &mut Running,
        applied: &mut mpsc::UnboundedReceiver<Applied>,
    ) {
        let Running { shard, ended } = running;
        let mut leadership = group.handle.watch_leadership();
        let mut alive = true;
        while let Ok(done) = applied.try_recv() {
            alive &= shard.cast(shard::Message::Applied(done)).is_ok();
        }
        let first = *leadership.borrow_and_update();
        alive &= shard.cast(shard::Message::Leadership(first)).is_ok();
        while alive {
            alive = tokio::select! {
                biased;
                _ = &mut *ended => false,
                Some(done) = applied.recv() => shard.cast(shard::Message::Applied(done)).is_ok(),
                changed = leadership.changed() => {
                    if changed.is_err() {
                        // The group has ended here: the shard learns of it, and stays until it is stopped.
                        let last = *leadership.borrow();
                        let _ = shard.cast(shard::Message::Leadership(last));
                        let _ = (&mut *ended).await;
                        return;
                    }
                    let now = *leadership.borrow_and_update();
                    shard.cast(shard::Message::Leadership(now)).is_ok()
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_the_fifth_fall_in_a_row_is_the_last() {
        let (mut falls, now) = (Falls::default(), Instant::now());
        let second = Duration::from_secs(1);
        for pause in [1, 2, 4, 8] {
            assert_eq!(falls.fell(now, second), Some(second * pause));
        }
        assert_eq!(falls.fell(now, second), None);
        assert_eq!(falls.fell(now + FORGIVEN, second), Some(second), "it stood for a while");
    }
}
