//! The state machine of a shard group: runs `apply` for each command of each entry and passes on what came of it.
//!
//! A command whose `apply` panics is dropped whole by the rules themselves, on every replica alike. Rules that this build does
//! not know are another matter: builds that know them go on by them, so a replica that went on without them, by dropping or
//! refusing the command, would hold another state from there on, and nobody would notice. It stands still before that entry
//! instead, until a build that knows them takes it up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use mangrove_domain::{Command, Effects, Fence, Reply, State, rules};
use mangrove_membership::{SnapshotError, StateMachine};
use parking_lot::RwLock;
use tokio::sync::mpsc;

use crate::{clock, entry, metrics, progress::Progress};

/// The group's state as of the last applied entry; reading never waits for `apply`.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    inner: Arc<RwLock<Current>>,
}

/// A state and the stamp it stands at.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub state: State,
    pub index: u64,
    pub now: u64,
    pub wall: u64,
    /// When the last entry was applied, if that was just after it was committed.
    pub fresh: Option<Instant>,
}

impl Current {
    /// Milliseconds since the last stamp, when the wall clock is `wall`.
    pub(crate) fn gap(&self, wall: u64) -> u64 {
        clock::gap(self.wall, wall, self.fresh.map(|since| since.elapsed()))
    }
}

impl Shared {
    pub(crate) fn new() -> Self {
        let current = Current { state: State::default(), index: 0, now: 0, wall: 0, fresh: None };
        Self { inner: Arc::new(RwLock::new(current)) }
    }

    /// A copy, in constant time.
    pub(crate) fn get(&self) -> Current {
        self.inner.read().clone()
    }

    /// The group's clock at the last entry.
    pub(crate) fn now(&self) -> u64 {
        self.inner.read().now
    }

    /// The index of the last entry in it.
    pub(crate) fn index(&self) -> u64 {
        self.inner.read().index
    }

    fn set(&self, current: Current) {
        *self.inner.write() = current;
    }
}

/// What one entry did, in log order.
#[derive(Debug)]
pub(crate) enum Applied {
    Commands {
        index: u64,
        /// Under which leadership: only that one carries the effects out.
        fence: Fence,
        effects: Vec<Effects>,
    },
    /// A leader of this term begins; all before is of older ones.
    Blank { index: u64, term: u64 },
    /// The state was replaced by a snapshot of the entries up to this one.
    Restored { index: u64 },
}

/// One replica of a shard group.
#[derive(Debug)]
pub(crate) struct Machine {
    shared: Shared,
    applied: mpsc::UnboundedSender<Applied>,
    followed: Arc<AtomicBool>,
    progress: Progress,
}

impl Machine {
    /// `followed` says whether anybody carries effects out. Before that the log of an earlier run is read again: its
    /// stories are kept, its effects are not.
    pub(crate) fn new(
        shared: Shared,
        applied: mpsc::UnboundedSender<Applied>,
        followed: Arc<AtomicBool>,
        progress: Progress,
    ) -> Self {
        Self { shared, applied, followed, progress }
    }

    fn tell_commands(&self, index: u64, fence: Fence, mut effects: Vec<Effects>) {
        if self.followed.load(Ordering::Acquire) {
            self.progress.applied(index);
        } else {
            for one in &mut effects {
                (one.actions, one.touched) = (Vec::new(), Vec::new());
            }
        }
        self.tell(Applied::Commands { index, fence, effects });
    }

    fn tell(&self, applied: Applied) {
        // The receiver is gone only while the node stops.
        let _ = self.applied.send(applied);
    }
}

impl StateMachine for Machine {
    fn apply(&mut self, index: u64, _term: u64, payload: &[u8]) -> Vec<u8> {
        let entry = match entry::decode(payload) {
            Ok(entry) => entry,
            Err(error) => {
                tracing::error!(index, %error, "log entry skipped");
                return Vec::new();
            }
        };
        end_before_unknown_rules(index, &entry.commands);
        let mut current = self.shared.get();
        let (last, fence) = (current.now, entry.fence);
        (current.index, current.now, current.wall) = (index, entry.now.max(last), entry.wall);
        current.fresh = self.followed.load(Ordering::Acquire).then(Instant::now);
        let effects = mangrove_domain::apply_all(&mut current.state, entry.stamped(index, last))
            .unwrap_or_else(|| one_by_one(&mut current.state, payload, index, last));
        self.shared.set(current);
        let replies: Vec<Reply> = effects.iter().map(|done| done.reply.clone()).collect();
        self.tell_commands(index, fence, effects);
        entry::encode_replies(&replies)
    }

    fn leader_blank(&mut self, index: u64, term: u64) {
        self.tell(Applied::Blank { index, term });
    }

    fn snapshot(&self) -> Box<dyn FnOnce() -> Result<Vec<u8>, SnapshotError> + Send> {
        let current = self.shared.get();
        Box::new(move || to_bytes(&current))
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let current = from_bytes(bytes)?;
        let index = current.index;
        self.shared.set(current);
        self.tell(Applied::Restored { index });
        Ok(())
    }
}

/// A state with the stamp it stands at, as snapshots and backups have it.
pub(crate) fn to_bytes(current: &Current) -> Result<Vec<u8>, SnapshotError> {
    let body = current.state.snapshot().map_err(SnapshotError::new)?;
    let head = [current.index, current.now, current.wall].map(u64::to_le_bytes).concat();
    Ok([head, body].concat())
}

/// What [`to_bytes`] wrote.
pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Current, SnapshotError> {
    let (head, body) =
        bytes.split_at_checked(24).ok_or_else(|| SnapshotError::from("snapshot is cut short"))?;
    let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| head[at + i]));
    let state = State::restore(body).map_err(SnapshotError::new)?;
    Ok(Current { state, index: number(0), now: number(8), wall: number(16), fresh: None })
}

/// Ends the group on this node, by a panic as `StateMachine` has it, with nothing of the entry applied. Only a build that was
/// put back under a newer one's log can come here: the version is written once all members know it.
fn end_before_unknown_rules(index: u64, commands: &[Command]) {
    if let Some(version) = commands.iter().find_map(rules::unknown) {
        let newest = rules::NEWEST;
        tracing::error!(index, version, newest, "the log goes on under rules that this build does not know");
        panic!("entry {index} is of rules {version}, this build knows {newest} at most: start a newer one");
    }
}

/// An entry with a command that panics: the others are carried out all the same.
fn one_by_one(state: &mut State, payload: &[u8], index: u64, last: u64) -> Vec<Effects> {
    let Ok(entry) = entry::decode(payload) else { return Vec::new() };
    let one = |(command, stamp)| mangrove_domain::apply(state, command, stamp);
    let effects: Vec<Effects> = entry.stamped(index, last).map(one).collect();
    effects.iter().for_each(|done| note_dropped(index, &done.reply));
    effects
}

/// A command that panicked is an alarm, not the end: the rules kept nothing of it.
fn note_dropped(index: u64, reply: &Reply) {
    if let Reply::Dropped { why } = reply {
        metrics::poisoned();
        tracing::error!(index, why, "a command panicked and was dropped");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_domain::rules::NEWEST;

    use super::*;

    fn entry_raising_rules(to: u32) -> Vec<u8> {
        let commands = vec![Command::TimePassed, Command::RaiseRules { to }];
        let fence = Fence { incarnation: 1, term: 1 };
        entry::encode(&entry::Entry { now: 5, wall: 5, seed: 1, fence, commands }).unwrap()
    }

    #[test]
    fn unknown_rules_end_the_group_with_nothing_of_their_entry_applied() {
        let shared = Shared::new();
        let (applied, mut told) = mpsc::unbounded_channel();
        let mut machine = Machine::new(shared.clone(), applied, Arc::default(), Progress::default());
        machine.apply(1, 1, &entry_raising_rules(NEWEST));
        assert!(told.try_recv().is_ok());
        let next = entry_raising_rules(NEWEST + 1);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| machine.apply(2, 1, &next)));
        assert!(ended.is_err() && told.try_recv().is_err());
        let current = shared.get();
        assert_eq!((current.index, current.state.rules()), (1, NEWEST));
    }
}
