//! One group, brought a step nearer to its place in the plan: by its leader, or by a replica that it left out.

use std::collections::{BTreeMap, BTreeSet};

use mangrove_placement::Place;
use mangrove_raft::{Error as RaftError, GroupId, Handle, NodeId, Peer};

use super::Cluster;
use crate::directory::Directory;
use crate::error::Error;

/// What a group's leader does next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Hands the lead over.
    Transfer(NodeId),
    /// Sees to it that exactly these vote; nothing if they do.
    Voters(BTreeSet<NodeId>),
}

/// The lead moves first, while the old voters are all there; a leader that is to go brings the newcomers in before. Who
/// `refused` the lead just now is too far behind: another may not be, and voters can change meanwhile.
fn next(
    me: NodeId,
    place: &Place,
    voters: &[NodeId],
    able: impl Fn(NodeId) -> bool,
    refused: &BTreeSet<NodeId>,
) -> Step {
    let can_lead =
        |node: &NodeId| *node != me && voters.contains(node) && !refused.contains(node) && able(*node);
    if can_lead(&place.leader) {
        return Step::Transfer(place.leader);
    }
    let replicas: BTreeSet<_> = place.replicas.iter().copied().collect();
    if replicas.contains(&me) {
        return Step::Voters(replicas);
    }
    match place.replicas.iter().find(|node| can_lead(node)) {
        Some(heir) => Step::Transfer(*heir),
        None => Step::Voters(replicas.into_iter().chain([me]).collect()),
    }
}

impl Cluster {
    /// Harmless when repeated. `deposed`: whom the lead is kept from for now.
    pub(super) async fn keep_group(
        &self,
        directory: &Directory,
        handle: &Handle,
        deposed: Option<NodeId>,
    ) -> Result<(), Error> {
        let group = handle.group();
        let Some(place) = directory.plan.groups.get(&group) else { return Ok(()) };
        if !handle.leadership().is_leader() {
            return self.stop_if_left(directory, handle, place).await;
        }
        if !directory.opened.contains(&group) {
            return Ok(());
        }
        let able = |node: NodeId| {
            let is_well = directory.member(node).is_some_and(|member| member.alive) && deposed != Some(node);
            is_well && handle.could_lead(node)
        };
        let (voters, mut refused) = (handle.status().voters, BTreeSet::new());
        loop {
            let heir = match next(self.node(), place, &voters, able, &refused) {
                Step::Transfer(heir) => heir,
                Step::Voters(voters) => return set_voters(directory, handle, &voters).await,
            };
            match handle.transfer_leadership(heir).await {
                Err(RaftError::Refused(why)) => {
                    tracing::info!(group, heir, why, "the lead stays here for now");
                    refused.insert(heir);
                }
                done => return done.map_err(Error::from),
            }
        }
    }

    /// A replica that the plan leaves out runs until the group does without its vote for sure.
    async fn stop_if_left(&self, directory: &Directory, handle: &Handle, place: &Place) -> Result<(), Error> {
        if place.replicas.contains(&self.node()) || place.replicas.is_empty() {
            return Ok(());
        }
        let status = handle.status();
        let counted = status.voters.contains(&self.node()) || status.learners.contains(&self.node());
        if counted && !self.leader_left_out(directory, handle.group(), status.term).await {
            return Ok(());
        }
        tracing::info!(group = handle.group(), "the group does without this node and is stopped here");
        self.end_group(handle.group()).await
    }

    /// Whether the group's leader says that this node has no part in it. Its own log may end before that change.
    async fn leader_left_out(&self, directory: &Directory, group: GroupId, term: u64) -> bool {
        let reports = self.reports(directory).await;
        let groups = reports.values().flatten().flat_map(|report| &report.groups);
        let word = groups.filter(|seen| seen.group == group && seen.leads && seen.term >= term);
        word.max_by_key(|seen| seen.term)
            .is_some_and(|seen| !seen.voters.contains(&self.node()) && !seen.learners.contains(&self.node()))
    }
}

async fn set_voters(directory: &Directory, handle: &Handle, voters: &BTreeSet<NodeId>) -> Result<(), Error> {
    let peer = |node: &NodeId| directory.member(*node).map(|member| (*node, Peer::new(&member.address)));
    let peers: BTreeMap<_, _> = voters.iter().filter_map(peer).collect();
    // A node that has left the directory goes with the next plan.
    if peers.len() == voters.len() {
        handle.set_voters(&peers).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who asks, the plan's replicas and leader, who votes now, who is able to lead, who refused to; what is next.
    type Case<'t> = (&'t str, NodeId, (&'t [NodeId], NodeId), &'t [NodeId], &'t [NodeId], &'t [NodeId], Step);

    fn voters(nodes: &[NodeId]) -> Step {
        Step::Voters(nodes.iter().copied().collect())
    }

    fn check(table: &[Case<'_>]) {
        for (what, me, (replicas, leader), now, able, refused, expected) in table {
            let place = Place { replicas: replicas.to_vec(), leader: *leader };
            let refused = refused.iter().copied().collect();
            let found = next(*me, &place, now, |node| able.contains(&node), &refused);
            assert_eq!(found, *expected, "{what}");
        }
    }

    #[test]
    fn leads_move_before_votes() {
        let all: &[NodeId] = &[1, 2, 3, 4];
        check(&[
            ("as planned", 1, (&[1, 2, 3], 1), &[1, 2, 3], all, &[], voters(&[1, 2, 3])),
            ("another should lead", 1, (&[1, 2, 3], 2), &[1, 2, 3], all, &[], Step::Transfer(2)),
            ("that one is silent", 1, (&[1, 2, 3], 2), &[1, 2, 3], &[1, 3], &[], voters(&[1, 2, 3])),
            ("that one does not vote yet", 1, (&[1, 2, 4], 4), &[1, 2, 3], all, &[], voters(&[1, 2, 4])),
            ("left out, the heir votes", 1, (&[2, 3, 4], 3), &[1, 2, 3], all, &[], Step::Transfer(3)),
            ("left out, the heir does not vote", 1, (&[2, 3, 4], 4), &[1, 2, 3], all, &[], Step::Transfer(2)),
            ("left out, nobody else votes", 1, (&[2, 3], 2), &[1], all, &[], voters(&[1, 2, 3])),
        ]);
    }

    #[test]
    fn another_heir_is_asked_after_a_refusal_and_voters_change_after_all() {
        let all: &[NodeId] = &[1, 2, 3, 4];
        check(&[
            ("left out", 1, (&[2, 3, 4], 3), &[1, 2, 3], all, &[3], Step::Transfer(2)),
            ("left out, all refuse", 1, (&[2, 3, 4], 3), &[1, 2, 3], all, &[2, 3], voters(&[1, 2, 3, 4])),
            ("another should lead", 1, (&[1, 2, 4], 2), &[1, 2, 3], all, &[2], voters(&[1, 2, 4])),
        ]);
    }
}
