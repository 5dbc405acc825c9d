//! Nodes that lately kept somebody waiting: they are asked last for a while, so that one that has stopped costs a wait
//! once and not for every question until the directory knows.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mangrove_membership::NodeId;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::turns::SLOW;

/// After this long it is asked in its turn again: the directory knows of a death by then.
const FORGIVEN: Duration = Duration::from_secs(2);

/// Who was slow, and when last. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quiet(Arc<Mutex<BTreeMap<NodeId, Instant>>>);

/// A question on its way to a node. Dropped without an answer after a while, the node was slow.
#[derive(Debug)]
pub(crate) struct Asked {
    quiet: Quiet,
    node: NodeId,
    since: Instant,
    is_answered: bool,
}

impl Quiet {
    /// A question is put.
    pub(crate) fn asked(&self, node: NodeId) -> Asked {
        Asked { quiet: self.clone(), node, since: Instant::now(), is_answered: false }
    }

    /// The nodes in their order, those that were slow lately behind the others.
    pub(crate) fn last(&self, mut nodes: Vec<NodeId>) -> Vec<NodeId> {
        let mut slow = self.0.lock();
        slow.retain(|_, at| at.elapsed() < FORGIVEN);
        nodes.sort_by_key(|node| slow.contains_key(node));
        nodes
    }
}

impl Asked {
    /// The node has answered what was asked, whatever it took.
    pub(crate) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let mut slow = self.quiet.0.lock();
        if self.is_answered {
            slow.remove(&self.node);
        } else if self.since.elapsed() >= SLOW {
            slow.insert(self.node, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_kept_somebody_waiting_is_asked_last_until_it_answers_or_is_forgiven() {
        let quiet = Quiet::default();
        let order = || quiet.last(vec![3, 1, 2]);
        drop(quiet.asked(3));
        assert_eq!(order(), [3, 1, 2], "whoever fails at once keeps nobody waiting");
        let asked = quiet.asked(3);
        advance(SLOW).await;
        drop(asked);
        assert_eq!(order(), [1, 2, 3]);
        quiet.asked(3).answered();
        assert_eq!(order(), [3, 1, 2]);
        let asked = quiet.asked(3);
        advance(SLOW).await;
        drop(asked);
        advance(FORGIVEN).await;
        assert_eq!(order(), [3, 1, 2]);
    }
}
