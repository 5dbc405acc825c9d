//! Changing who votes in a group.

use std::collections::{BTreeMap, BTreeSet};

use openraft::ChangeMembers;
use openraft::async_runtime::WatchReceiver;

use crate::{Error, Handle, NodeId, Peer};

impl Handle {
    /// Makes exactly these nodes the group's voters, at these addresses: newcomers catch up first, then the change is
    /// committed (through joint consensus where need be), then those left out are gone. To be called on the leader;
    /// repeating it is harmless and costs nothing once it holds.
    pub async fn set_voters(&self, voters: &BTreeMap<NodeId, Peer>) -> Result<(), Error> {
        self.move_addresses(voters).await?;
        self.drop_learners(voters).await?;
        let status = self.status();
        let wanted: BTreeSet<_> = voters.keys().copied().collect();
        let present: BTreeSet<_> = status.voters.iter().copied().collect();
        if wanted == present && status.learners.is_empty() && !status.changing {
            return Ok(());
        }
        for (node, peer) in voters.iter().filter(|(node, _)| !present.contains(node)) {
            self.raft.add_learner(*node, peer.clone(), true).await?;
        }
        self.raft.change_membership(wanted, false).await?;
        Ok(())
    }

    /// Learners that should have become voters and are not wanted any more.
    async fn drop_learners(&self, voters: &BTreeMap<NodeId, Peer>) -> Result<(), Error> {
        let strays: BTreeSet<_> =
            self.status().learners.into_iter().filter(|node| !voters.contains_key(node)).collect();
        if !strays.is_empty() {
            self.raft.change_membership(ChangeMembers::RemoveNodes(strays), true).await?;
        }
        Ok(())
    }

    async fn move_addresses(&self, voters: &BTreeMap<NodeId, Peer>) -> Result<(), Error> {
        let moved: BTreeMap<_, _> = {
            let metrics = self.raft.server_metrics();
            let metrics = metrics.borrow_watched();
            let known = metrics.membership_config.membership();
            let moved =
                |(node, peer): &(&NodeId, &Peer)| known.get_node(node).is_some_and(|old| old != *peer);
            voters.iter().filter(moved).map(|(node, peer)| (*node, peer.clone())).collect()
        };
        if !moved.is_empty() {
            self.raft.change_membership(ChangeMembers::SetNodes(moved), true).await?;
        }
        Ok(())
    }
}
