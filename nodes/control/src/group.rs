//! One shard group's parts on this node, and the machines that the cluster starts before there are any.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

use mangrove_membership::{Handle, StateMachine};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use crate::{
    clock::Clock,
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

    /// What the group's machine shares, for the one who follows it; none when nothing was made since it was last taken.
    pub(crate) fn take(&self, group: u32) -> Option<Seat> {
        self.seats.lock().remove(&group)
    }
}

/// One shard group's parts on this node.
#[derive(Debug)]
pub(crate) struct Group {
    pub id: u32,
    /// Of the very start that the machine was made for: the group may end here and start again.
    pub handle: Handle,
    pub shared: Shared,
    pub progress: Progress,
    pub proposer: Proposer,
    /// The running leadership's clock; none while another node leads.
    pub clock: watch::Sender<Option<Clock>>,
}

impl Group {
    /// `handle` and `seat`: of one start of the group.
    pub(crate) fn new(handle: Handle, seat: &Seat, forward: &Forward) -> Self {
        let (id, shared, progress) = (handle.group(), seat.shared.clone(), seat.progress.clone());
        let (clock, leading) = watch::channel(None);
        let replica = Replica { handle: handle.clone(), clock: leading, progress: progress.clone() };
        let way = Way { group: id, replica: Some(replica), forward: forward.clone() };
        Self { id, handle, shared, progress, proposer: Proposer::start(way), clock }
    }

    /// Whether this node carries the group's effects out now.
    pub(crate) fn is_led(&self) -> bool {
        self.term_led().is_some()
    }

    /// The term in which it does.
    pub(crate) fn term_led(&self) -> Option<u64> {
        self.clock.borrow().map(|clock| clock.term)
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
