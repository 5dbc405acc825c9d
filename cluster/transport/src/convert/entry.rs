//! Log entries and memberships.

use std::collections::{BTreeMap, BTreeSet};

use mangrove_proto::cluster as proto;
use mangrove_raft::types::{Entry, Membership, Payload};
use mangrove_raft::{NodeId, Peer};
use openraft::EntryPayload;
use proto::entry::Payload as Kind;

use super::{Error, from_log_id, to_log_id};

pub(crate) fn to_entry(entry: Entry) -> proto::Entry {
    let payload = match entry.payload {
        EntryPayload::Blank => Kind::Blank(proto::Blank {}),
        EntryPayload::Normal(payload) => Kind::Command(payload.0),
        EntryPayload::Membership(membership) => Kind::Membership(to_membership(&membership)),
    };
    proto::Entry { id: Some(to_log_id(entry.log_id)), payload: Some(payload) }
}

pub(crate) fn from_entry(entry: proto::Entry) -> Result<Entry, Error> {
    let payload = match entry.payload.ok_or(Error::Missing("entry payload"))? {
        Kind::Blank(_) => EntryPayload::Blank,
        Kind::Command(bytes) => EntryPayload::Normal(Payload(bytes)),
        Kind::Membership(membership) => EntryPayload::Membership(from_membership(membership)?),
    };
    Ok(Entry { log_id: from_log_id(entry.id.ok_or(Error::Missing("entry id"))?), payload })
}

pub(crate) fn to_membership(membership: &Membership) -> proto::RaftMembership {
    let set = |nodes: &BTreeSet<NodeId>| proto::VoterSet { nodes: nodes.iter().copied().collect() };
    let member =
        |(node, peer): (&NodeId, &Peer)| proto::RaftMember { node: *node, address: peer.addr.clone() };
    proto::RaftMembership {
        voters: membership.get_joint_config().iter().map(set).collect(),
        members: membership.nodes().map(member).collect(),
    }
}

pub(crate) fn from_membership(membership: proto::RaftMembership) -> Result<Membership, Error> {
    let voters = membership.voters.into_iter().map(|set| set.nodes.into_iter().collect()).collect();
    let members: BTreeMap<_, _> =
        membership.members.into_iter().map(|member| (member.node, Peer::new(member.address))).collect();
    Membership::new(voters, members).map_err(|error| Error::Inconsistent(error.to_string()))
}
