//! Founding the cluster, members, and where groups live.

use std::collections::BTreeSet;

use mangrove_placement::{Place, Plan};
use mangrove_raft::{GroupId, NodeId};

use super::{Directory, Founding, Member, Refusal, Reply};

type Answer = Result<Reply, Refusal>;

impl Directory {
    pub(super) fn found(&mut self, founding: Founding, member: Member) -> Answer {
        if self.founding.is_some() {
            return Err(Refusal::AlreadyFounded);
        }
        let id = self.last_id + 1;
        let here = || Place { replicas: vec![id], leader: id };
        self.plan = Plan { groups: (0..=founding.shard_groups).map(|group| (group, here())).collect() };
        self.opened.insert(crate::DIRECTORY);
        self.founding = Some(founding);
        self.join(Member { id: 0, ..member })
    }

    pub(super) fn join(&mut self, member: Member) -> Answer {
        if self.founding.is_none() {
            return Err(Refusal::NotFounded);
        }
        let namesake = self.member_named(&member.name).filter(|other| other.id != member.id);
        if let Some(Member { name, id, .. }) = namesake.cloned() {
            return Err(Refusal::NameTaken { name, id });
        }
        let id = match member.id {
            0 => self.last_id + 1,
            id if self.members.contains_key(&id) => id,
            id => return Err(Refusal::UnknownMember(id)),
        };
        self.last_id = self.last_id.max(id);
        self.members.insert(id, Member { id, ..member });
        Ok(Reply::Joined { id })
    }

    pub(super) fn heartbeat(&mut self, id: NodeId, at_ms: u64) -> Answer {
        self.change_member(id, |member| member.heartbeat_ms = member.heartbeat_ms.max(at_ms))
    }

    pub(super) fn drain(&mut self, id: NodeId, draining: bool) -> Answer {
        self.change_member(id, |member| member.draining = draining)
    }

    pub(super) fn leave(&mut self, id: NodeId) -> Answer {
        self.members.remove(&id).map(|_| Reply::Done).ok_or(Refusal::UnknownMember(id))
    }

    pub(super) fn open(&mut self, groups: BTreeSet<GroupId>) -> Answer {
        self.opened.extend(groups);
        Ok(Reply::Done)
    }

    pub(super) fn set_plan(&mut self, plan: Plan) -> Answer {
        let named = plan.groups.values().flat_map(|place| place.replicas.iter().chain([&place.leader]));
        if let Some(stranger) = named.copied().find(|node| !self.members.contains_key(node)) {
            return Err(Refusal::BadPlan(stranger));
        }
        self.plan = plan;
        Ok(Reply::Done)
    }

    fn change_member(&mut self, id: NodeId, change: impl FnOnce(&mut Member)) -> Answer {
        change(self.members.get_mut(&id).ok_or(Refusal::UnknownMember(id))?);
        Ok(Reply::Done)
    }
}
