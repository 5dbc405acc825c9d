//! Founding the cluster, taking members in, and where groups live.

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
        if !member.is_control() {
            return Err(Refusal::NoControl);
        }
        let id = self.last_id + 1;
        let here = || Place { replicas: vec![id], leader: id };
        self.plan = Plan { groups: (0..=founding.shard_groups).map(|group| (group, here())).collect() };
        self.opened.insert(crate::DIRECTORY);
        self.founding = Some(founding);
        // Alone it speaks for all: what it says of itself is kept whole.
        self.minimum = member.protocol;
        self.join(Member { id: 0, ..member })?;
        self.change_member(id, |member| member.alive = true)?;
        Ok(Reply::Joined { id })
    }

    pub(super) fn join(&mut self, member: Member) -> Answer {
        if self.founding.is_none() {
            return Err(Refusal::NotFounded);
        }
        self.check_protocol(&member)?;
        let member = self.in_words_of_all(member);
        let member = match member.id {
            0 => self.take_in(member)?,
            id => self.come_back(self.member(id).ok_or(self.unknown(id))?, member)?,
        };
        self.free_name(&member)?;
        let id = if member.id == 0 { self.last_id + 1 } else { member.id };
        self.last_id = self.last_id.max(id);
        self.members.insert(id, Member { id, ..member });
        self.raise_minimum();
        Ok(Reply::Joined { id })
    }

    /// A member that was not known before.
    fn take_in(&self, member: Member) -> Result<Member, Refusal> {
        match self.two_histories(&member) {
            Some(refusal) => Err(refusal),
            None => Ok(Member { alive: false, draining: false, stopping: false, replaced: false, ..member }),
        }
    }

    /// A known member as it describes itself now.
    fn come_back(&self, known: &Member, member: Member) -> Result<Member, Refusal> {
        let copied = member.boot == known.boot && member.address != known.address;
        if member.boot < known.boot || copied {
            let Member { name, boot, .. } = member;
            return Err(Refusal::OldDisk { name, boot, known: known.boot });
        }
        let groups = self.groups_of(known.id).count();
        if groups > 0 && !member.is_control() {
            return Err(Refusal::NeedsControl { name: member.name, groups });
        }
        let Member { heartbeat_ms, alive, replaced, .. } = *known;
        // Drained or stopped to be restarted, as in a rolling upgrade: with the restart that is over.
        let is_same = member.boot == known.boot;
        let (draining, stopping) = (known.draining && is_same, known.stopping && is_same);
        Ok(Member { heartbeat_ms, alive, draining, stopping, replaced, ..member })
    }

    /// A dead member that is being replaced gives up its name.
    fn free_name(&mut self, member: &Member) -> Result<(), Refusal> {
        let namesake = self.member_named(&member.name).filter(|other| other.id != member.id);
        let Some(Member { name, id, replaced, alive, .. }) = namesake.cloned() else { return Ok(()) };
        if alive || !replaced {
            return Err(Refusal::NameTaken { name, id });
        }
        self.change_member(id, |old| old.name = format!("{name}~{id}"))?;
        Ok(())
    }

    pub(super) fn unknown(&self, id: NodeId) -> Refusal {
        if id <= self.last_id { Refusal::HasLeft(id) } else { Refusal::UnknownMember(id) }
    }

    pub(super) fn heartbeat(&mut self, id: NodeId, at_ms: u64) -> Answer {
        self.change_member(id, |member| member.heartbeat_ms = member.heartbeat_ms.max(at_ms))
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
        if let Some((group, _)) = plan.groups.iter().find(|(_, place)| place.replicas.is_empty()) {
            return Err(Refusal::EmptyPlan(*group));
        }
        self.plan = plan;
        Ok(Reply::Done)
    }

    pub(super) fn change_member(&mut self, id: NodeId, change: impl FnOnce(&mut Member)) -> Answer {
        let unknown = self.unknown(id);
        change(self.members.get_mut(&id).ok_or(unknown)?);
        Ok(Reply::Done)
    }
}
