//! A supervisor who looks at the live picture on any node, also at one that lags behind: what it shows was true once.

use std::collections::{BTreeMap, BTreeSet};

use mangrove_proto::{
    id::CallId,
    live::{Live, Queue},
};

use super::Outside;
use crate::company::TENANT;
use crate::post::{Answer, Ask};
use crate::{NODES, NodeIndex};

const LOOKS: u64 = 250;
const PATIENCE: u64 = 2_000;

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    /// Who stood before whom.
    before: BTreeSet<(CallId, CallId)>,
    /// The newest picture of each node.
    pub(crate) seen: BTreeMap<NodeIndex, Live>,
}

impl Outside {
    /// The supervisor looks now, and again and again.
    pub(crate) fn supervise(&mut self) {
        self.look_at_all();
        self.after(LOOKS, Self::supervise);
    }

    /// Asks every node for its picture.
    pub(crate) fn look_at_all(&mut self) {
        for node in 0..NODES {
            self.ask(node, Ask::Live(TENANT), PATIENCE, move |outside, answer| {
                if let Some(Answer::Live(Ok(live))) = answer {
                    outside.see(node, *live);
                }
            });
        }
    }

    fn see(&mut self, node: NodeIndex, live: Live) {
        for broken in two_calls(&live) {
            self.chronicle.broken(broken);
        }
        for queue in &live.queues {
            if let Some(broken) = self.supervisor.line_up(queue) {
                self.chronicle.broken(broken);
            }
        }
        self.supervisor.seen.insert(node, live);
    }
}

/// I2: an agent has one call at most.
fn two_calls(live: &Live) -> Vec<String> {
    let of = |agent: &mangrove_proto::live::Agent| {
        let has = |call: &&mangrove_proto::live::Call| {
            call.employee.as_ref() == Some(&agent.id) || call.ringing.contains(&agent.id)
        };
        let calls: Vec<_> = live.calls.iter().filter(has).map(|call| call.id.to_string()).collect();
        (calls.len() > 1).then(|| format!("I2: agent {} has the calls {}", agent.id, calls.join(", ")))
    };
    live.agents.iter().filter_map(of).collect()
}

impl Supervisor {
    /// I6: who stands before another in a line goes on to stand there.
    fn line_up(&mut self, queue: &Queue) -> Option<String> {
        for (place, first) in queue.waiting.iter().enumerate() {
            for second in &queue.waiting[place + 1..] {
                if self.before.contains(&(second.call, first.call)) {
                    return Some(format!("I6: call {} has passed {} in a queue", first.call, second.call));
                }
                self.before.insert((first.call, second.call));
            }
        }
        None
    }
}
