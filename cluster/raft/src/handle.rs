//! One group, for those who use it: propose, read, know who leads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::{Instant as _, ReadPolicy};
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::{Instant, timeout};

use crate::leadership::{Fence, Leadership};
use crate::status::Status;
use crate::underway::Underway;
use crate::{Error, GroupId, NodeId, Raft, TypeConfig};

/// Entries that a new leader can be behind and catch up with in no time.
const SMALL_LAG: u64 = 1_000;

type RaftMetrics = openraft::RaftMetrics<TypeConfig>;

/// Whether the node has answered something that its leader sent within the last `limit`, and lacks little of the log.
fn could_lead(metrics: &RaftMetrics, node: NodeId, limit: Duration) -> bool {
    let heard = metrics.heartbeat.as_ref().and_then(|heard| heard.get(&node).copied().flatten());
    let last = metrics.last_log_index.unwrap_or_default();
    heard.is_some_and(|at| at.elapsed() < limit)
        && held(metrics, node).is_some_and(|index| index + SMALL_LAG >= last)
}

/// Up to where a replica is known to have the leader's log.
fn held(metrics: &RaftMetrics, node: NodeId) -> Option<u64> {
    Some(metrics.replication.as_ref()?.get(&node).copied().flatten()?.index)
}

/// A running group. Clones share it; it outlives none of them: once the group stops, calls answer `Stopped`.
#[derive(Clone)]
pub struct Handle {
    group: GroupId,
    pub(crate) raft: Raft,
    leadership: watch::Receiver<Leadership>,
    applied: Arc<AtomicU64>,
    patience: Duration,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("group", &self.group).field("leadership", &self.leadership()).finish()
    }
}

impl Handle {
    pub(crate) fn new(
        group: GroupId,
        raft: Raft,
        leadership: watch::Receiver<Leadership>,
        applied: Arc<AtomicU64>,
        patience: Duration,
    ) -> Self {
        Self { group, raft, leadership, applied, patience }
    }

    /// Whether both are of one start of the group.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.applied, &other.applied)
    }

    /// Which group this is.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// Commits a command and returns the state machine's reply, once it is on a majority's disks and applied here.
    /// Calls polled one after another by one task enter the log in that order; many may be under way.
    pub async fn propose(&self, payload: Vec<u8>) -> Result<Vec<u8>, Error> {
        // Out of tokio's budget: a forced yield before the command is handed over would let a later call pass it.
        unconstrained(Underway::begin(&self.raft, None, payload, self.patience)).await?.reply().await
    }

    /// Hands a command over for one leadership alone, and does not wait for the reply. Several may be under way, in the
    /// order of these calls: where one is [`Error::NotLeader`], so is each later one under the same fence.
    pub async fn propose_under(&self, fence: Fence, payload: Vec<u8>) -> Result<Underway, Error> {
        Underway::begin(&self.raft, Some(fence), payload, self.patience).await
    }

    /// Whether the group has ended here, by itself or because it was stopped: others may go on with it.
    pub fn has_ended(&self) -> bool {
        self.leadership.has_changed().is_err()
    }

    /// Follows who leads. Ends with `Leadership::None` when the group stops.
    pub fn watch_leadership(&self) -> watch::Receiver<Leadership> {
        self.leadership.clone()
    }

    /// Who leads now.
    pub fn leadership(&self) -> Leadership {
        *self.leadership.borrow()
    }

    /// Index of the entry applied last on this node; 0 before the first.
    pub fn last_applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Returns once this node is known to lead at this moment and has applied all that was committed before the call:
    /// what is read from the state machine then is not stale. The index applied.
    pub async fn linearizable(&self) -> Result<u64, Error> {
        let ready = async {
            let linearizer = self.raft.get_read_linearizer(ReadPolicy::ReadIndex).await?;
            let state = linearizer.await_ready(&self.raft).await?;
            Ok(state.applied().map_or(0, |id| id.index))
        };
        timeout(self.patience, ready).await.map_err(|_| Error::Timeout)?
    }

    /// Whether another replica could take the lead at once: it has answered this leader within its lease and lacks
    /// little of the log. One that can't takes the group's lead from it for as long, for a leader that hands over
    /// accepts nothing and beats no more.
    pub fn could_lead(&self, node: NodeId) -> bool {
        let metrics = self.raft.metrics();
        could_lead(&metrics.borrow_watched(), node, self.lease())
    }

    /// Hands the lead to another voter and returns once this node has given it up. That one is heard first, for it may have
    /// ended a moment ago, and must get what is written now, for whoever takes the lead waits a moment only for the end of its
    /// log: [`Error::Refused`] if it can't lead or does not answer both within a lease, and the lead stays here.
    pub async fn transfer_leadership(&self, to: NodeId) -> Result<(), Error> {
        if !self.leadership().is_leader() {
            return Err(Error::NotLeader { leader: self.status().leader });
        }
        self.hears(to).await?;
        self.raft.trigger().transfer_leader(to).await?;
        let mut leadership = self.watch_leadership();
        let given_up = leadership.wait_for(|now| !now.is_leader());
        timeout(self.patience, given_up).await.map_err(|_| Error::Timeout)?.map_err(|_| Error::Stopped)?;
        Ok(())
    }

    /// Waits for an answer to something that is sent after this call.
    async fn hears(&self, node: NodeId) -> Result<(), Error> {
        let (asked, last) = (Instant::now(), self.raft.metrics().borrow_watched().last_log_index);
        let able =
            |metrics: &RaftMetrics| could_lead(metrics, node, asked.elapsed()) && held(metrics, node) >= last;
        let heard = self.raft.wait(Some(self.lease())).metrics(able, "the heir's answer").await;
        heard.map_err(|_| Error::Refused(format!("node {node} could not lead group {} now", self.group)))?;
        Ok(())
    }

    fn lease(&self) -> Duration {
        Duration::from_millis(self.raft.config().election_timeout_max)
    }

    /// Who votes, by the newest membership in this node's log; nobody in a group that has not begun.
    pub async fn voters(&self) -> Result<Vec<NodeId>, Error> {
        let voters = |state: &openraft::RaftState<TypeConfig>| -> Vec<NodeId> {
            state.membership_state.effective().membership().voter_ids().collect()
        };
        Ok(self.raft.with_raft_state(voters).await?)
    }

    /// Starts a snapshot and does not wait for it.
    pub async fn snapshot_now(&self) -> Result<(), Error> {
        Ok(self.raft.trigger().snapshot().await?)
    }

    /// Where the group stands on this node.
    pub fn status(&self) -> Status {
        Status::of(self.group, &self.raft)
    }
}
