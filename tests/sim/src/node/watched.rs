//! The product's state machine under watch: every replica must apply the same entries in the same order and come to the
//! same state, and in that state the rules' own invariants must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use mangrove_domain::{State, invariant};
use mangrove_membership::{DIRECTORY, GroupId, SnapshotError, SnapshotWriter, StateMachine};
use parking_lot::Mutex;

use crate::NodeIndex;
use crate::chronicle::Chronicle;
use crate::plant::{Plant, double_reservation};

/// After so many entries states are compared.
const COMPARED: u64 = 16;
/// What a shard's snapshot begins with: index, clock, wall clock.
const HEAD: usize = 24;

/// What the replicas have applied, for all nodes and all of their processes.
#[derive(Clone)]
pub(crate) struct Agreement(Arc<Mutex<Inner>>);

struct Inner {
    chronicle: Chronicle,
    plant: Option<Plant>,
    entries: BTreeMap<(GroupId, u64), (u64, NodeIndex)>,
    states: BTreeMap<(GroupId, u64), (u64, NodeIndex)>,
    /// By node, of the process that runs.
    reached: BTreeMap<(GroupId, NodeIndex), u64>,
    /// Up to where snapshots go, by their hash: who restores one has reached that.
    snapshots: BTreeMap<(GroupId, u64), u64>,
}

impl Agreement {
    pub(crate) fn new(chronicle: Chronicle, plant: Option<Plant>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            chronicle,
            plant,
            entries: BTreeMap::new(),
            states: BTreeMap::new(),
            reached: BTreeMap::new(),
            snapshots: BTreeMap::new(),
        })))
    }

    /// The machine, watched.
    pub(crate) fn watch(
        &self,
        node: NodeIndex,
        group: GroupId,
        machine: Box<dyn StateMachine>,
    ) -> Box<dyn StateMachine> {
        Box::new(Watched { node, group, machine, agreement: self.clone() })
    }

    /// Whether these nodes have all applied as much of each group as the others.
    pub(crate) fn is_level(&self, nodes: &[NodeIndex]) -> bool {
        let inner = self.0.lock();
        let groups: BTreeSet<GroupId> = inner.reached.keys().map(|(group, _)| *group).collect();
        groups.iter().all(|group| {
            let reached: BTreeSet<_> =
                nodes.iter().map(|node| inner.reached.get(&(*group, *node)).copied()).collect();
            reached.len() == 1
        })
    }

    fn is_planted(&self, plant: Plant) -> bool {
        self.0.lock().plant == Some(plant)
    }
}

impl Inner {
    fn entry(&mut self, (group, index, node): (GroupId, u64, NodeIndex), hash: u64) {
        self.reached.insert((group, node), index);
        let (first, by) = *self.entries.entry((group, index)).or_insert((hash, node));
        self.chronicle.note((group, index, hash), || format!("n{node} applies {group}/{index}"));
        if first != hash {
            let what = format!("I11: entry {index} of group {group} is another on n{node} than on n{by}");
            self.chronicle.broken(what);
        }
    }

    fn state(&mut self, (group, index, node): (GroupId, u64, NodeIndex), bytes: &[u8]) {
        let hash = hash_of(bytes);
        let (first, by) = *self.states.entry((group, index)).or_insert((hash, node));
        if first != hash {
            let what = format!("I11: n{node} and n{by} differ after entry {index} of group {group}");
            self.chronicle.broken(what);
        }
        let state = bytes.get(HEAD..).map(State::restore);
        let Some(Ok(state)) = state else {
            return self
                .chronicle
                .broken(format!("the state of group {group} can't be read back on n{node}"));
        };
        for violation in invariant::check(&state) {
            self.chronicle.broken(format!("{}: {} (group {group})", violation.id, violation.what));
        }
    }
}

fn hash_of(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

struct Watched {
    node: NodeIndex,
    group: GroupId,
    machine: Box<dyn StateMachine>,
    agreement: Agreement,
}

impl Watched {
    fn compare(&self, index: u64) {
        if let Ok(bytes) = self.machine.snapshot()() {
            self.agreement.0.lock().state((self.group, index, self.node), &bytes);
        }
    }
}

impl StateMachine for Watched {
    fn apply(&mut self, index: u64, term: u64, payload: &[u8]) -> Vec<u8> {
        if self.agreement.is_planted(Plant::DoubleReservation) {
            double_reservation(&mut *self.machine, payload);
        }
        let reply = self.machine.apply(index, term, payload);
        self.agreement.0.lock().entry((self.group, index, self.node), hash_of(payload));
        if self.group != DIRECTORY && index.is_multiple_of(COMPARED) {
            self.compare(index);
        }
        reply
    }

    fn leader_blank(&mut self, index: u64, term: u64) {
        self.agreement.0.lock().entry((self.group, index, self.node), term);
        self.machine.leader_blank(index, term);
    }

    fn snapshot(&self) -> SnapshotWriter {
        let (agreement, group, write) = (self.agreement.clone(), self.group, self.machine.snapshot());
        let reached = agreement.0.lock().reached.get(&(group, self.node)).copied().unwrap_or_default();
        Box::new(move || {
            let bytes = write()?;
            agreement.0.lock().snapshots.insert((group, hash_of(&bytes)), reached);
            Ok(bytes)
        })
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.machine.restore(bytes)?;
        let mut inner = self.agreement.0.lock();
        if let Some(reached) = inner.snapshots.get(&(self.group, hash_of(bytes))).copied() {
            inner.reached.insert((self.group, self.node), reached);
        }
        Ok(())
    }
}
