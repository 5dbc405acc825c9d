//! One shard group's parts on this node, and the machines that the cluster starts before there are any.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

use mangrove_membership::{Cluster, StateMachine};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use crate::{
    clock::Clock,
    control::Error,
    forward::Forward,
    machine::{Applied, Machine, Shared},
    progress::Progress,
    proposer::{Proposer, Replica, Way},
};

/// The machines of all groups, made before the cluster starts: it asks for one per group.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    seats: Arc<Mutex<BTreeMap<u32, Seat>>>,
}

/// What a group's machine shares with the parts that follow it.
#[derive(Debug)]
pub(crate) struct Seat {
    pub shared: Shared,
    pub applied: mpsc::UnboundedReceiver<Applied>,
    pub followed: Arc<AtomicBool>,
    pub progress: Progress,
}

impl Prepared {
    /// The factory for `Cluster::start`.
    pub fn machine(&self, group: u32) -> Box<dyn StateMachine> {
        let shared = Shared::new();
        let (sender, applied) = mpsc::unbounded_channel();
        let (followed, progress) = (Arc::<AtomicBool>::default(), Progress::default());
        let seat =
            Seat { shared: shared.clone(), applied, followed: followed.clone(), progress: progress.clone() };
        self.seats.lock().insert(group, seat);
        Box::new(Machine::new(shared, sender, followed, progress))
    }

    /// Whether a machine was made that nobody follows yet.
    pub(crate) fn has(&self, group: u32) -> bool {
        self.seats.lock().contains_key(&group)
    }

    /// What the group's machine shares, for the one who follows it.
    pub(crate) fn take(&self, group: u32) -> Option<Seat> {
        self.seats.lock().remove(&group)
    }
}

/// One shard group's parts on this node.
#[derive(Debug)]
pub(crate) struct Group {
    pub id: u32,
    pub shared: Shared,
    pub progress: Progress,
    pub proposer: Proposer,
    /// The running leadership's clock; none while another node leads.
    pub clock: watch::Sender<Option<Clock>>,
}

impl Group {
    pub(crate) fn new(
        id: u32,
        cluster: &Cluster,
        prepared: &Prepared,
        forward: &Forward,
    ) -> Result<Self, Error> {
        let handle = cluster.group(id).ok_or(Error::NoMachine { group: id })?;
        let (shared, progress) = prepared
            .seats
            .lock()
            .get(&id)
            .map(|seat| (seat.shared.clone(), seat.progress.clone()))
            .ok_or(Error::NoMachine { group: id })?;
        let (clock, leading) = watch::channel(None);
        let replica = Replica { handle, clock: leading, progress: progress.clone() };
        let way = Way { group: id, replica: Some(replica), forward: forward.clone() };
        Ok(Self { id, shared, progress, proposer: Proposer::start(way), clock })
    }

    /// Whether this node carries the group's effects out now.
    pub(crate) fn is_led(&self) -> bool {
        self.clock.borrow().is_some()
    }

    /// Milliseconds that the group is behind: its log, or its shard. The measure of overload.
    pub(crate) fn lag_ms(&self) -> u64 {
        self.proposer.lag_ms().max(self.progress.behind_ms())
    }

    /// Milliseconds on the running leadership's clock, or the last stamp's.
    pub(crate) fn now(&self) -> u64 {
        self.clock.borrow().map_or_else(|| self.shared.get().now, |clock| clock.now())
    }
}
