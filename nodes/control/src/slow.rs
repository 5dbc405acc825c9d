//! Which nodes did not answer lately: others are asked before they are waited for again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mangrove_membership::NodeId;
use parking_lot::Mutex;
use tokio::time::{Instant, timeout};

use crate::turns::SLOW;

/// For so long nobody waits for a node that was slow.
const SPARED: Duration = Duration::from_secs(5);

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slow(Arc<Mutex<BTreeMap<NodeId, Instant>>>);

impl Slow {
    /// Those of the nodes that are not known to be slow, in their order; all when each of them is.
    pub(crate) fn spare(&self, nodes: Vec<NodeId>) -> Vec<NodeId> {
        let mut slow = self.0.lock();
        slow.retain(|_, since| since.elapsed() < SPARED);
        let quick: Vec<_> = nodes.iter().copied().filter(|node| !slow.contains_key(node)).collect();
        if quick.is_empty() { nodes } else { quick }
    }

    /// Waits for a node's answer, and remembers it when that takes long.
    pub(crate) async fn watch<T>(&self, node: NodeId, answer: impl Future<Output = T>) -> T {
        let mut answer = std::pin::pin!(answer);
        if let Ok(answer) = timeout(SLOW, &mut answer).await {
            self.0.lock().remove(&node);
            return answer;
        }
        self.0.lock().insert(node, Instant::now());
        answer.await
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_did_not_answer_is_not_waited_for_while_there_are_others() {
        let slow = Slow::default();
        let ask = async |node, ms| slow.watch(node, sleep(Duration::from_millis(ms))).await;
        ask(1, 10).await;
        ask(2, 1_000).await;
        assert_eq!(slow.spare(vec![2, 1, 3]), [1, 3]);
        assert_eq!(slow.spare(vec![2]), [2], "nobody else is there");
        ask(2, 10).await;
        assert_eq!(slow.spare(vec![2, 1]), [2, 1], "it answers again");
    }

    #[tokio::test(start_paused = true)]
    async fn it_counts_though_the_answer_is_given_up_and_not_for_ever() {
        let slow = Slow::default();
        assert!(timeout(2 * SLOW, slow.watch(2, std::future::pending::<()>())).await.is_err());
        assert_eq!(slow.spare(vec![2, 1]), [1]);
        advance(SPARED).await;
        assert_eq!(slow.spare(vec![2, 1]), [2, 1]);
    }
}
