//! Leases: who carries a member's addresses, and with them its calls' signalling and sound. The member itself, unless it
//! was lost and an heir has them until it asks for them back.

use std::collections::BTreeSet;

use mangrove_raft::NodeId;
use serde::{Deserialize, Serialize};

use super::{Directory, Member, Refusal, Reply};

/// Roles that have addresses of their own.
const CARRIED: [&str; 2] = ["edge", "media"];
/// Which network a member's addresses are in, among its addresses: they can move within it. Without, they stay.
pub const NETWORK: &str = "network";

/// Who carries a member's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub host: NodeId,
    /// The log position that gave it: no later lease of these addresses has a lower one. Events sent from them are
    /// counted anew under each.
    pub epoch: u64,
    /// The member is back and waits for its host to give them back.
    pub wanted: bool,
}

impl Directory {
    /// Who carries the addresses of the member with this name.
    pub fn lease(&self, name: &str) -> Option<Lease> {
        self.leases.get(name).copied()
    }

    /// The member is about to carry its own addresses. While a living heir has them it is told so, and they are asked
    /// back, once the member counts as alive: addresses of one that is lost would count as lost with it.
    pub(super) fn take_lease(&mut self, id: NodeId) -> Result<Reply, Refusal> {
        let name = self.member(id).ok_or(self.unknown(id))?.name.clone();
        let lease = match self.lease(&name) {
            Some(lease) if lease.host != id && self.is_alive(lease.host) => {
                Lease { wanted: self.is_alive(id), ..lease }
            }
            _ => Lease { host: id, epoch: self.version, wanted: false },
        };
        self.leases.insert(name, lease);
        Ok(Reply::Leased { lease })
    }

    /// The heir has stopped carrying the addresses: they are their member's again.
    pub(super) fn return_lease(&mut self, name: &str, from: NodeId) -> Result<Reply, Refusal> {
        let home = self.member_named(name).map(|member| member.id);
        if let (Some(home), Some(lease)) = (home, self.lease(name))
            && lease.host == from
        {
            let lease = Lease { host: home, epoch: self.version, wanted: false };
            self.leases.insert(name.to_owned(), lease);
        }
        Ok(Reply::Done)
    }

    /// The heir can't carry the addresses: another one tries, if there is one.
    pub(super) fn refuse_lease(&mut self, name: &str, from: NodeId) -> Result<Reply, Refusal> {
        if self.lease(name).is_some_and(|lease| lease.host == from) {
            self.pass_on(name, from);
        }
        Ok(Reply::Done)
    }

    /// A host is lost: heirs carry on. What nobody can carry stays with it, and is lost with it.
    pub(super) fn inherit(&mut self, lost: NodeId) {
        let held = self.leases.iter().filter(|(_, lease)| lease.host == lost);
        for name in held.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.pass_on(&name, lost);
        }
    }

    /// A member has left, and its addresses with it.
    pub(super) fn forget_lease(&mut self, name: &str) {
        self.leases.remove(name);
    }

    fn pass_on(&mut self, name: &str, from: NodeId) {
        let heir = self.member_named(name).and_then(|home| self.heir(home, from));
        if let Some(host) = heir {
            self.leases.insert(name.to_owned(), Lease { host, epoch: self.version, wanted: false });
        }
    }

    /// Of those who can carry a member's addresses, the one who carries the fewest.
    fn heir(&self, home: &Member, but: NodeId) -> Option<NodeId> {
        let network = home.addresses.get(NETWORK)?;
        let needed: BTreeSet<_> =
            home.roles.iter().filter(|role| CARRIED.contains(&role.as_str())).cloned().collect();
        let fits = |one: &&Member| {
            one.id != but
                && one.alive
                && !one.draining
                && one.addresses.get(NETWORK) == Some(network)
                && needed.is_subset(&one.roles)
        };
        let carried = |id: NodeId| self.leases.values().filter(|lease| lease.host == id).count();
        self.members.values().filter(fits).map(|one| one.id).min_by_key(|id| (carried(*id), *id))
    }

    fn is_alive(&self, id: NodeId) -> bool {
        self.member(id).is_some_and(|member| member.alive)
    }
}
