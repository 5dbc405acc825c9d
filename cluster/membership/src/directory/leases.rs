//! Leases: who carries a member's addresses, and with them its calls' signalling and sound. The member itself, unless it
//! was lost, drains or stops and an heir has them until it asks for them back. From a host that lives they are handed
//! over: it carries on until the new one has everything.

use std::collections::BTreeSet;

use mangrove_raft::NodeId;
use serde::{Deserialize, Serialize};

use super::{Directory, Member, Refusal, Reply};

/// The protocol that every member must speak before addresses are handed over: earlier builds put them down at once.
pub const HANDOVER: u32 = 3;
/// The protocol that every member must speak before calls leave a media node whose addresses stay: earlier builds have no
/// words for it.
pub const LEAVING: u32 = 5;
/// Roles that have addresses of their own.
pub(super) const CARRIED: [&str; 2] = ["edge", MEDIA];
const MEDIA: &str = "media";
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
    /// Who carried them before and hands them over when the host asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NodeId>,
    /// The host takes what it is told; until then the one of before does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ready: bool,
}

impl Lease {
    /// Whether the host of before is still the one to talk to.
    pub fn is_on_its_way(&self) -> bool {
        self.from.is_some() && !self.ready
    }
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
            Some(lease) if lease.host != id && self.is_alive(lease.host) => self.asked_back(id, lease),
            _ => self.granted(id, None),
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
            self.leases.insert(name.to_owned(), self.granted(home, None));
        }
        Ok(Reply::Done)
    }

    /// The heir can't carry the addresses: another one tries, if there is one.
    pub(super) fn refuse_lease(&mut self, name: &str, from: NodeId) -> Result<Reply, Refusal> {
        if self.lease(name).is_some_and(|lease| lease.host == from) {
            self.pass_on(name, from, None);
        }
        Ok(Reply::Done)
    }

    /// A host is lost: heirs carry on. What nobody can carry stays with it, and is lost with it.
    pub(super) fn inherit(&mut self, lost: NodeId) {
        for name in self.held(lost) {
            self.pass_on(&name, lost, None);
        }
    }

    /// A host is about to go: heirs take over from it. What nobody can carry stays with it.
    pub(super) fn hand_on(&mut self, host: NodeId) -> Result<Reply, Refusal> {
        let from = Some(host).filter(|host| self.is_alive(*host));
        for name in self.yields(host) {
            self.pass_on(&name, host, from);
        }
        Ok(Reply::Done)
    }

    /// The new host of addresses that are handed over can be told what belongs to them.
    pub(super) fn ready_lease(&mut self, name: &str, host: NodeId) -> Result<Reply, Refusal> {
        if let Some(lease) = self.leases.get_mut(name).filter(|lease| lease.host == host) {
            lease.ready = true;
        }
        Ok(Reply::Done)
    }

    /// The members whose addresses a host carries and an heir could.
    pub fn yields(&self, host: NodeId) -> Vec<String> {
        let mut held = self.held(host);
        held.retain(|name| self.all_speak(HANDOVER) && self.has_heir(name, host));
        held
    }

    /// Whether the media node of the member with this name is about to go with its addresses, so that its calls have to
    /// leave it.
    pub fn is_left(&self, name: &str) -> bool {
        let host = self.lease(name).and_then(|lease| self.member(lease.host));
        host.is_some_and(|host| host.draining || host.stopping) && self.has_to_be_left(name)
    }

    /// Whether calls would have to leave the media node of the member with this name, were its host about to go: its
    /// addresses can't go to an heir, and there is another media node that stays.
    pub fn has_to_be_left(&self, name: &str) -> bool {
        let has_sound = |member: &Member| member.roles.contains(MEDIA);
        let Some(host) = self.lease(name).map(|lease| lease.host) else { return false };
        let mut others = self.members.values().filter(|other| other.id != host && other.is_staying());
        self.member_named(name).is_some_and(has_sound)
            && self.all_speak(LEAVING)
            && !self.has_heir(name, host)
            && others.any(has_sound)
    }

    pub(super) fn has_heir(&self, name: &str, host: NodeId) -> bool {
        self.member_named(name).and_then(|home| self.heir(home, host)).is_some()
    }

    /// A member takes its share again: its heir hands its addresses back.
    pub(super) fn hand_back(&mut self, id: NodeId) {
        let Some(name) = self.member(id).map(|member| member.name.clone()) else { return };
        if let Some(lease) = self.lease(&name).filter(|lease| lease.host != id && self.all_speak(HANDOVER)) {
            self.leases.insert(name, self.asked_back(id, lease));
        }
    }

    /// A role with addresses that no other staying member has.
    pub(super) fn carries_alone(&self, member: &Member) -> Option<&'static str> {
        let has = |one: &Member, role: &str| one.roles.contains(role);
        let others = || self.members.values().filter(|other| other.id != member.id && other.is_staying());
        let alone = |role: &&str| has(member, role) && !others().any(|other| has(other, role));
        CARRIED.into_iter().find(alone).filter(|_| self.all_speak(HANDOVER))
    }

    /// What becomes of a lease when its member asks for it while another living host has it.
    fn asked_back(&self, id: NodeId, lease: Lease) -> Lease {
        let is_going = self.member(id).is_some_and(|member| member.draining || member.stopping);
        match (self.is_alive(id), self.all_speak(HANDOVER)) {
            (_, true) if is_going => lease,
            (true, true) => self.granted(id, Some(lease.host)),
            (wanted, _) => Lease { wanted, ..lease },
        }
    }

    fn granted(&self, host: NodeId, from: Option<NodeId>) -> Lease {
        Lease { host, epoch: self.version, wanted: false, from, ready: false }
    }

    fn held(&self, host: NodeId) -> Vec<String> {
        self.leases.iter().filter(|(_, lease)| lease.host == host).map(|(name, _)| name.clone()).collect()
    }

    /// A member has left, and its addresses with it.
    pub(super) fn forget_lease(&mut self, name: &str) {
        self.leases.remove(name);
    }

    fn pass_on(&mut self, name: &str, but: NodeId, from: Option<NodeId>) {
        let heir = self.member_named(name).and_then(|home| self.heir(home, but));
        if let Some(host) = heir {
            self.leases.insert(name.to_owned(), self.granted(host, from));
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
                && !one.stopping
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
