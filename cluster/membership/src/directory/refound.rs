//! A directory from a backup, as the first state of a new cluster: what lives where, names and keys are as they were; who
//! was in the cluster is forgotten.

use mangrove_placement::{Place, Plan};
use mangrove_raft::NodeId;

use super::{Directory, Founding, Member, Refusal};

impl Directory {
    /// The directory of a cluster with this incarnation and founding member only, which holds all groups, and the
    /// member's id. `incarnation` must be greater than the one before, so that whoever still obeys a leader of that one
    /// obeys it no more.
    pub fn refounded(self, incarnation: u64, member: Member) -> Result<(Self, NodeId), Refusal> {
        let founding = self.founding.ok_or(Refusal::NotFounded)?;
        if !member.is_control() {
            return Err(Refusal::NoControl);
        }
        let id = self.last_id + 1;
        let here = || Place { replicas: vec![id], leader: id };
        let minimum = member.protocol;
        let member =
            Member { id, alive: true, draining: false, stopping: false, replaced: false, boot: 0, ..member };
        let directory = Self {
            version: self.version,
            plan: Plan { groups: (0..=founding.shard_groups).map(|group| (group, here())).collect() },
            opened: (0..=founding.shard_groups).collect(),
            founding: Some(Founding { incarnation, ..founding }),
            members: [(id, member)].into_iter().collect(),
            tenants: self.tenants,
            claims: self.claims,
            minimum,
            last_id: id,
            ..Self::default()
        };
        Ok((directory, id))
    }
}
