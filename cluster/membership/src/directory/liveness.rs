//! Which members answer group 0's leader.

use mangrove_raft::NodeId;

use super::{Directory, Refusal, Reply};

impl Directory {
    /// Takes a verdict that was reached in term `seen` and committed in term `now`. One of a deposed leader never counts.
    pub(super) fn hear(&mut self, id: NodeId, alive: bool, seen: u64, now: u64) -> Result<Reply, Refusal> {
        if seen != now {
            return Err(Refusal::StaleVerdict { seen, now });
        }
        let reply = self.change_member(id, |member| member.alive = alive)?;
        if !alive {
            self.inherit(id);
        }
        Ok(reply)
    }
}
