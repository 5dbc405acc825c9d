//! Puts a `StateMachine` under openraft: feeds it committed entries, keeps its snapshots on disk, and remembers what
//! openraft wants remembered (position and membership), which lives in memory and in snapshots only.

mod builder;

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use mangrove_log::{Entry, LogId, Reply, SnapshotMeta, Snapshots, StoredMembership, TypeConfig};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::type_config::alias::SnapshotOf;
use openraft::{EntryPayload, OptionalSend};
use tokio::sync::watch;

use builder::Builder;

use crate::leadership::Blank;
use crate::machine::StateMachine;

/// One group's state machine as openraft sees it.
pub struct Applier {
    machine: Box<dyn StateMachine>,
    snapshots: Snapshots,
    applied: Option<LogId>,
    membership: StoredMembership,
    progress: Progress,
}

/// How far a group is, for those outside openraft.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    pub(crate) applied: Arc<AtomicU64>,
    pub(crate) blank: watch::Sender<Option<Blank>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { applied: Arc::default(), blank: watch::channel(None).0 }
    }
}

impl fmt::Debug for Applier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applier").field("applied", &self.applied).finish_non_exhaustive()
    }
}

impl Applier {
    pub(crate) fn new(machine: Box<dyn StateMachine>, snapshots: Snapshots, progress: Progress) -> Self {
        Self { machine, snapshots, applied: None, membership: StoredMembership::default(), progress }
    }

    /// A panic of the machine ends the group: what it left behind can't be trusted.
    fn apply_one(&mut self, entry: Entry) -> Result<Reply, io::Error> {
        let index = entry.log_id.index;
        catch_unwind(AssertUnwindSafe(|| self.apply_entry(entry)))
            .map_err(|_| io::Error::other(format!("applying entry {index} panicked")))
    }

    fn apply_entry(&mut self, entry: Entry) -> Reply {
        let LogId { leader_id, index } = entry.log_id;
        let term = leader_id.term;
        let reply = match entry.payload {
            EntryPayload::Normal(payload) => Reply(self.machine.apply(index, term, &payload.0)),
            EntryPayload::Blank => {
                self.machine.leader_blank(index, term);
                self.progress.blank.send_replace(Some(Blank { term, index }));
                Reply::default()
            }
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership);
                Reply::default()
            }
        };
        self.moved_to(Some(entry.log_id));
        reply
    }

    fn moved_to(&mut self, position: Option<LogId>) {
        self.applied = position;
        self.progress.applied.store(position.map_or(0, |id| id.index), Ordering::Release);
    }
}

impl RaftStateMachine<TypeConfig> for Applier {
    type SnapshotData = Bytes;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some((entry, proposer)) = entries.try_next().await? {
            let reply = self.apply_one(entry)?;
            if let Some(proposer) = proposer {
                proposer.send(reply);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Self::SnapshotBuilder {
        let meta = SnapshotMeta { last_log_id: self.applied, last_membership: self.membership.clone() };
        Builder::new(meta, self.machine.snapshot(), self.snapshots.clone())
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, state: Bytes) -> Result<(), io::Error> {
        self.machine.restore(&state).map_err(builder::unusable)?;
        self.membership = meta.last_membership.clone();
        self.moved_to(meta.last_log_id);
        let meta = meta.clone();
        self.snapshots.aside(move |snapshots| snapshots.save(&meta, &state)).await
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<SnapshotOf<TypeConfig, Bytes>>, io::Error> {
        let stored = self.snapshots.aside(Snapshots::load).await?;
        Ok(stored
            .map(|stored| SnapshotOf::<TypeConfig, _> { meta: stored.meta, snapshot: stored.state.into() }))
    }
}
