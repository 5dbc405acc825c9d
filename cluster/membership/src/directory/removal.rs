//! Draining members, letting them leave, giving dead ones up.

use mangrove_raft::NodeId;

use super::{Directory, Member, Refusal, Reply};

type Answer = Result<Reply, Refusal>;

impl Directory {
    pub(super) fn drain(&mut self, id: NodeId, draining: bool) -> Answer {
        let member = self.present(id)?;
        if draining {
            self.may_drain(member)?;
        }
        self.change_member(id, |member| member.draining = draining)?;
        if !draining {
            self.hand_back(id);
        }
        Ok(Reply::Done)
    }

    fn may_drain(&self, member: &Member) -> Result<(), Refusal> {
        let name = || member.name.clone();
        if member.is_control() && !self.other_controls(member.id).any(Member::is_staying) {
            return Err(Refusal::LastControl { name: name() });
        }
        match self.carries_alone(member) {
            Some(role) => Err(Refusal::LastRole { name: name(), role: role.into() }),
            None => Ok(()),
        }
    }

    pub(super) fn leave(&mut self, id: NodeId) -> Answer {
        self.may_leave(self.present(id)?)?;
        self.inherit(id);
        if let Some(member) = self.members.remove(&id) {
            self.forget_lease(&member.name);
        }
        self.take_from_plan(id);
        self.raise_minimum();
        Ok(Reply::Done)
    }

    fn may_leave(&self, member: &Member) -> Result<(), Refusal> {
        let (id, name) = (member.id, member.name.clone());
        if member.is_control() && self.other_controls(id).next().is_none() {
            return Err(Refusal::LastControl { name });
        }
        if member.alive && !member.draining && !member.replaced {
            return Err(Refusal::NotDrained { name });
        }
        for (group, place) in self.groups_of(id) {
            if !place.replicas.iter().any(|node| *node != id && self.answers(*node)) {
                return Err(Refusal::LastReplica { group });
            }
            if member.alive && place.leader == id {
                return Err(Refusal::StillLeads { name, group });
            }
        }
        Ok(())
    }

    /// Others that answer are left in each of its groups: `may_leave` has seen to that.
    fn take_from_plan(&mut self, id: NodeId) {
        let members = &self.members;
        let answers = |node: &NodeId| members.get(node).is_some_and(|member| member.alive);
        for place in self.plan.groups.values_mut() {
            place.replicas.retain(|node| *node != id);
            if place.leader == id {
                place.leader = place.replicas.iter().copied().find(answers).unwrap_or_default();
            }
        }
    }

    pub(super) fn replace(&mut self, id: NodeId) -> Answer {
        let member = self.present(id)?;
        if member.alive {
            return Err(Refusal::StillAlive { name: member.name.clone() });
        }
        self.change_member(id, |member| member.replaced = true)
    }

    fn present(&self, id: NodeId) -> Result<&Member, Refusal> {
        self.member(id).ok_or(self.unknown(id))
    }

    fn answers(&self, id: NodeId) -> bool {
        self.member(id).is_some_and(|member| member.alive)
    }
}
