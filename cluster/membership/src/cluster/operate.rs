//! What operators do to members: drain, let leave, replace. The directory's rules refuse what its plan forbids; here
//! is what only the groups themselves know.

use std::collections::BTreeMap;

use mangrove_proto::cluster::{GroupReport, ReportResponse};
use mangrove_raft::{GroupId, NodeId};

use super::Cluster;
use crate::directory::{Command, Directory, HANDOVER, Refusal};
use crate::error::Error;

/// Who counts in each group, by the word of its leader.
type Leaders = BTreeMap<GroupId, GroupReport>;

impl Cluster {
    /// Begins or ends the draining of the member of this name. `nodes` tells how far it is.
    pub async fn drain_node(&self, name: &str, draining: bool) -> Result<(), Error> {
        let id = self.named(name)?;
        self.propose_directory(Command::DrainMember { id, draining }).await?;
        Ok(())
    }

    /// Has others take over what this node leads, before it ends to be started again; they begin at once. False when nobody can: it is alone, or a member's build is too old for it.
    pub async fn stop_node(&self) -> Result<bool, Error> {
        let directory = self.directory();
        if directory.members.len() < 2 || !directory.all_speak(HANDOVER) {
            return Ok(false);
        }
        self.propose_directory(Command::StopMember { id: self.node() }).await?;
        Ok(true)
    }

    /// Lets a drained or dead member go for good; its id is never used again. Refused while a group counts on it alone.
    pub async fn leave_node(&self, name: &str) -> Result<(), Error> {
        let id = self.named(name)?;
        let directory = self.directory();
        let leaders = leaders(self.reports(&directory).await.into_values().flatten());
        if let Some(group) = alone(&directory, &leaders, id) {
            return Err(Refusal::LastReplica { group }.into());
        }
        self.propose_directory(Command::LeaveMember { id }).await?;
        Ok(())
    }

    /// Gives up a dead member: others take its replicas at once, and it leaves when the groups have enough voters
    /// without it, which may wait for a new node to join. That one may have the name of the old.
    pub async fn replace_node(&self, name: &str) -> Result<(), Error> {
        let id = self.named(name)?;
        self.propose_directory(Command::ReplaceMember { id }).await?;
        Ok(())
    }

    fn named(&self, name: &str) -> Result<NodeId, Error> {
        let member = self.directory().member_named(name).map(|member| member.id);
        member.ok_or_else(|| Error::UnknownNode(name.into()))
    }

    /// Lets the replaced go with which no group counts any more.
    pub(super) async fn release_replaced(&self, directory: &Directory) -> Result<(), Error> {
        let replaced = directory.members.values().filter(|member| member.replaced);
        let free: Vec<_> =
            replaced.map(|member| member.id).filter(|id| directory.groups_of(*id).next().is_none()).collect();
        if free.is_empty() {
            return Ok(());
        }
        let leaders = leaders(self.reports(directory).await.into_values().flatten());
        for id in free.into_iter().filter(|id| nobody_counts_on(directory, &leaders, *id)) {
            self.propose_directory(Command::LeaveMember { id }).await?;
        }
        Ok(())
    }
}

fn leaders(reports: impl Iterator<Item = ReportResponse>) -> Leaders {
    let mut leaders = Leaders::new();
    for seen in reports.flat_map(|report| report.groups).filter(|seen| seen.leads) {
        match leaders.get(&seen.group) {
            Some(known) if known.term >= seen.term => {}
            _ => drop(leaders.insert(seen.group, seen)),
        }
    }
    leaders
}

/// A group whose only voter is `id`.
fn alone(directory: &Directory, leaders: &Leaders, id: NodeId) -> Option<GroupId> {
    let only = |seen: &&GroupReport| directory.opened.contains(&seen.group) && seen.voters == [id];
    leaders.values().find(only).map(|seen| seen.group)
}

/// Every group has a leader, and that one says so.
fn nobody_counts_on(directory: &Directory, leaders: &Leaders, id: NodeId) -> bool {
    directory.opened.iter().all(|group| {
        leaders.get(group).is_some_and(|seen| !seen.voters.contains(&id) && !seen.learners.contains(&id))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Directory {
        let mut directory = Directory::default();
        directory.opened.extend([0u32, 1]);
        directory
    }

    fn seen(group: GroupId, term: u64, leads: bool, voters: &[NodeId]) -> GroupReport {
        GroupReport { group, leads, term, voters: voters.to_vec(), ..GroupReport::default() }
    }

    fn told(groups: &[GroupReport]) -> ReportResponse {
        ReportResponse { groups: groups.to_vec(), ..ReportResponse::default() }
    }

    #[test]
    fn the_latest_leaders_word_counts() {
        let directory = opened();
        let deposed = told(&[seen(0, 3, true, &[1, 2, 3]), seen(1, 1, true, &[2, 3])]);
        let leader = told(&[seen(0, 4, true, &[2, 3]), seen(1, 1, false, &[1])]);
        let table = [
            (vec![deposed.clone(), leader.clone()], true),
            (vec![leader.clone(), deposed.clone()], true),
            (vec![deposed], false),
            (vec![leader], false),
        ];
        for (reports, free) in table {
            let leaders = leaders(reports.clone().into_iter());
            assert_eq!(nobody_counts_on(&directory, &leaders, 1), free, "{reports:?}");
        }
    }

    #[test]
    fn the_only_voter_is_known() {
        let directory = opened();
        let leaders = leaders([told(&[seen(0, 3, true, &[1, 2]), seen(1, 1, true, &[2])])].into_iter());
        assert_eq!((alone(&directory, &leaders, 1), alone(&directory, &leaders, 2)), (None, Some(1)));
    }
}
