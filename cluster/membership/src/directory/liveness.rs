//! Which members answer group 0's leader.

use std::collections::BTreeSet;

use mangrove_raft::NodeId;

use super::{Directory, Member, Refusal, Reply};

/// The protocol that every member must speak before verdicts on several members are told as one.
pub const TOGETHER: u32 = 4;

impl Directory {
    /// Takes a verdict that was reached in term `seen` and committed in term `now`. One of a deposed leader never counts.
    pub(super) fn hear(&mut self, id: NodeId, alive: bool, seen: u64, now: u64) -> Result<Reply, Refusal> {
        in_term(seen, now)?;
        let reply = self.change_member(id, |member| member.alive = alive)?;
        if !alive {
            self.inherit(id);
        }
        Ok(reply)
    }

    /// As `hear`, of several: all are counted as lost before anybody inherits, and as back before.
    pub(super) fn hear_all(
        &mut self,
        lost: &BTreeSet<NodeId>,
        back: &BTreeSet<NodeId>,
        seen: u64,
        now: u64,
    ) -> Result<Reply, Refusal> {
        in_term(seen, now)?;
        for (ids, alive) in [(lost, false), (back, true)] {
            for id in ids {
                // One that has left meanwhile is nobody's business any more.
                let _ = self.change_member(*id, |member| member.alive = alive);
            }
        }
        lost.iter().for_each(|id| self.inherit(*id));
        Ok(Reply::Done)
    }

    /// Lost members that hold addresses which somebody could carry by now: nobody could when they were lost.
    pub fn orphaning(&self) -> BTreeSet<NodeId> {
        let orphaned = self.leases.iter().filter(|(name, _)| self.is_orphaned(name));
        orphaned.map(|(_, lease)| lease.host).collect()
    }

    /// Whether nobody carries the addresses of the member with this name, though somebody could: it is lost, and so is its
    /// host. Either it comes back or they get an heir, soon.
    pub fn is_orphaned(&self, name: &str) -> bool {
        let is_lost = |member: Option<&Member>| member.is_some_and(|member| !member.alive);
        let host = self.lease(name).map(|lease| lease.host);
        let holds = |host: NodeId| is_lost(self.member(host)) && self.has_heir(name, host);
        is_lost(self.member_named(name)) && host.is_some_and(holds)
    }
}

fn in_term(seen: u64, now: u64) -> Result<(), Refusal> {
    if seen == now { Ok(()) } else { Err(Refusal::StaleVerdict { seen, now }) }
}
