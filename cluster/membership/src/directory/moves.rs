//! A tenant's way from one shard group to another. Here is decided where it is: before `FlipTenant` in the group that it
//! leaves, from then on in the other one, and there is nothing between. The groups' own part is told in `mangrove-control`.

use mangrove_raft::GroupId;
use serde::{Deserialize, Serialize};

use super::{Directory, Home, Refusal, Reply};

/// The protocol that every member must speak before tenants move: earlier builds can't read the commands.
const SINCE: u32 = 2;

/// A move that is under way, or the last one of its tenant if that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    pub from: GroupId,
    pub to: GroupId,
    /// The tenant's epoch in its new home: the log position that began the move.
    pub epoch: u64,
    pub stage: Stage,
}

/// How far a move is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The tenant is at its old home, which is to hand it over.
    Going,
    /// The tenant is at its new home. It has to be opened there and taken out of the old one.
    Flipped,
    /// The tenant stays. What the new home has of it is to be thrown away.
    GivenUp { why: String },
    /// The tenant has stayed and nothing of the move is left.
    Failed { why: String },
}

impl Move {
    /// Whether somebody has something to do for it.
    pub fn is_under_way(&self) -> bool {
        !matches!(self.stage, Stage::Failed { .. })
    }
}

type Answer = Result<Reply, Refusal>;

impl Directory {
    /// The tenant's move, if one is under way or the last one failed.
    pub fn move_of(&self, tenant: &str) -> Option<&Move> {
        self.moves.get(tenant)
    }

    pub(super) fn begin_move(&mut self, tenant: String, to: GroupId) -> Answer {
        let home = self.home(&tenant).ok_or_else(|| Refusal::UnknownTenant(tenant.clone()))?;
        self.may_take(to)?;
        if home.group == to {
            return Err(Refusal::AtHome { tenant, group: to });
        }
        self.moves_nowhere(&tenant)?;
        if !self.all_speak(SINCE) {
            return Err(Refusal::MovesNeed { oldest: self.minimum, needed: SINCE });
        }
        let epoch = self.version;
        self.moves.insert(tenant, Move { from: home.group, to, epoch, stage: Stage::Going });
        Ok(Reply::Moving { epoch })
    }

    /// Whether a shard group may be given a tenant.
    fn may_take(&self, group: GroupId) -> Result<(), Refusal> {
        let groups = self.founding.as_ref().map_or(0, |founding| founding.shard_groups);
        let place = self.plan.groups.get(&group).filter(|_| (1..=groups).contains(&group));
        let place = place.filter(|_| self.opened.contains(&group));
        let place = place.ok_or(Refusal::UnknownGroup { group, groups })?;
        let members = place.replicas.iter().filter_map(|id| self.member(*id));
        match members.into_iter().find(|member| member.draining) {
            Some(member) => Err(Refusal::GroupDrained { group, name: member.name.clone() }),
            None => Ok(()),
        }
    }

    /// Refuses while the tenant is under way.
    pub(super) fn moves_nowhere(&self, tenant: &str) -> Result<(), Refusal> {
        match self.move_of(tenant).filter(|going| going.is_under_way()) {
            Some(Move { from, to, .. }) => {
                Err(Refusal::UnderWay { tenant: tenant.into(), from: *from, to: *to })
            }
            None => Ok(()),
        }
    }

    pub(super) fn flip(&mut self, tenant: String, epoch: u64) -> Answer {
        let going = self.the_move(&tenant, epoch)?;
        let to = going.to;
        match going.stage {
            Stage::Going => going.stage = Stage::Flipped,
            Stage::Flipped => return Ok(Reply::Done),
            Stage::GivenUp { .. } | Stage::Failed { .. } => return Err(Refusal::NoMove { tenant, epoch }),
        }
        self.tenants.insert(tenant, Home { group: to, epoch });
        Ok(Reply::Done)
    }

    pub(super) fn give_up(&mut self, tenant: String, epoch: u64, why: String) -> Answer {
        let going = self.the_move(&tenant, epoch)?;
        match going.stage {
            Stage::Going => going.stage = Stage::GivenUp { why },
            Stage::Flipped => return Err(Refusal::Flipped { tenant }),
            Stage::GivenUp { .. } | Stage::Failed { .. } => {}
        }
        Ok(Reply::Done)
    }

    /// Nothing is left to do for the move.
    pub(super) fn end_move(&mut self, tenant: &str, epoch: u64) -> Answer {
        let Ok(going) = self.the_move(tenant, epoch) else { return Ok(Reply::Done) };
        match going.stage.clone() {
            Stage::Going => return Err(Refusal::NoMove { tenant: tenant.into(), epoch }),
            Stage::Flipped => drop(self.moves.remove(tenant)),
            Stage::GivenUp { why } => going.stage = Stage::Failed { why },
            Stage::Failed { .. } => {}
        }
        Ok(Reply::Done)
    }

    fn the_move(&mut self, tenant: &str, epoch: u64) -> Result<&mut Move, Refusal> {
        let going = self.moves.get_mut(tenant).filter(|going| going.epoch == epoch);
        going.ok_or_else(|| Refusal::NoMove { tenant: tenant.into(), epoch })
    }
}
