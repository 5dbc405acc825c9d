//! When this node may act for a group.
//!
//! Winning an election is not enough: a new leader's state may still lack entries that an older leader committed. They
//! are all applied once its own blank entry is, so leadership is announced then and not before.

use openraft::ServerState;
use openraft::async_runtime::WatchReceiver;
use openraft::metrics::RaftServerMetrics;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{NodeId, Raft, TypeConfig};

/// A leader's right to give commands: later ones are greater. Receivers refuse lesser fences than they have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fence {
    /// The cluster's incarnation; a cluster restored from a backup has a new one.
    pub incarnation: u64,
    /// The leader's term, which names the leader too.
    pub term: u64,
    /// The leader's blank entry.
    pub index: u64,
}

/// Who leads a group, as this node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leadership {
    /// This node leads and has applied all that was committed before its term.
    Leader { term: u64, fence: Fence },
    /// Another node leads, in this term.
    Follower { leader: NodeId, term: u64 },
    /// Nobody, as far as is known; or this node, but not ready yet.
    None,
}

impl Leadership {
    /// Whether this node may act.
    pub fn is_leader(&self) -> bool {
        matches!(self, Self::Leader { .. })
    }
}

/// The blank entry applied last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blank {
    pub(crate) term: u64,
    pub(crate) index: u64,
}

/// Follows a group until it stops; the last value is then `None`.
pub(crate) fn follow(
    raft: &Raft,
    incarnation: u64,
    mut blanks: watch::Receiver<Option<Blank>>,
) -> watch::Receiver<Leadership> {
    let (sender, receiver) = watch::channel(Leadership::None);
    let mut metrics = raft.server_metrics();
    let raft = raft.clone();
    tokio::spawn(async move {
        loop {
            let blank = *blanks.borrow_and_update();
            let (now, alone) = {
                let metrics = metrics.borrow_watched();
                (judge(&metrics, blank, incarnation), leads_alone(&metrics))
            };
            raft.runtime_config().tick(!alone);
            announce(&sender, now);
            let open = tokio::select! {
                changed = metrics.changed() => changed.is_ok(),
                changed = blanks.changed() => changed.is_ok(),
            };
            if !open {
                return announce(&sender, Leadership::None);
            }
        }
    });
    receiver
}

fn announce(sender: &watch::Sender<Leadership>, now: Leadership) {
    sender.send_if_modified(|known| std::mem::replace(known, now) != now);
}

/// Nobody to send heartbeats to, nobody who could be elected instead: the ticks of seventeen such groups would cost
/// a twentieth of a core for nothing.
fn leads_alone(metrics: &RaftServerMetrics<TypeConfig>) -> bool {
    let members = metrics.membership_config.membership();
    metrics.state == ServerState::Leader && members.nodes().all(|(id, _)| *id == metrics.id)
}

fn judge(metrics: &RaftServerMetrics<TypeConfig>, blank: Option<Blank>, incarnation: u64) -> Leadership {
    let term = metrics.vote.leader_id().term;
    match (metrics.state, metrics.current_leader, blank) {
        (ServerState::Leader, _, Some(blank)) if metrics.vote.is_committed() && blank.term == term => {
            Leadership::Leader { term, fence: Fence { incarnation, term, index: blank.index } }
        }
        (ServerState::Follower | ServerState::Learner, Some(leader), _) if leader != metrics.id => {
            Leadership::Follower { leader, term }
        }
        _ => Leadership::None,
    }
}
