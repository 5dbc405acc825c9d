//! A group's position, for operators.

use openraft::async_runtime::WatchReceiver;
use openraft::{LogId, ServerState};
use serde::Serialize;

use crate::{GroupId, NodeId, Raft};

/// What `mangrove status` shows of a group. Indexes are 0 where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub group: GroupId,
    pub node: NodeId,
    /// `leader`, `follower`, `candidate`, `learner` or `shutdown`.
    pub state: &'static str,
    pub term: u64,
    pub leader: Option<NodeId>,
    pub last_log: u64,
    pub applied: u64,
    pub snapshot: u64,
    pub purged: u64,
    /// Those before a change and those after it, while one is under way.
    pub voters: Vec<NodeId>,
    pub learners: Vec<NodeId>,
    /// Who votes is about to change, or the change is not known to be committed: the old voters' majority still counts,
    /// so that the death of one may stop a group which the new ones would carry on.
    pub changing: bool,
}

impl Status {
    pub(crate) fn of(group: GroupId, raft: &Raft) -> Self {
        let metrics = raft.metrics();
        let metrics = metrics.borrow_watched();
        let membership = metrics.membership_config.membership();
        Self {
            group,
            node: metrics.id,
            state: name(metrics.state),
            term: metrics.current_term,
            leader: metrics.current_leader,
            last_log: metrics.last_log_index.unwrap_or(0),
            applied: index(metrics.last_applied),
            snapshot: index(metrics.snapshot),
            purged: index(metrics.purged),
            voters: membership.voter_ids().collect(),
            learners: membership.learner_ids().collect(),
            changing: membership.get_joint_config().len() > 1
                || *metrics.membership_config.log_id() > metrics.last_applied,
        }
    }
}

fn index<C: openraft::vote::RaftCommittedLeaderId>(id: Option<LogId<C>>) -> u64 {
    id.map_or(0, |id| id.index)
}

fn name(state: ServerState) -> &'static str {
    match state {
        ServerState::Leader => "leader",
        ServerState::Follower => "follower",
        ServerState::Candidate => "candidate",
        ServerState::Learner => "learner",
        ServerState::Shutdown => "shutdown",
    }
}
