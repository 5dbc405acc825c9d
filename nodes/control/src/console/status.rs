//! The node as an operator wants to see it.

use std::sync::Arc;

use mangrove_membership::{Cluster, DIRECTORY, Leadership};
use mangrove_proto::{control::Json, service::Error};
use serde::Serialize;

use super::json;
use crate::group::Group;

#[derive(Debug, Serialize)]
struct Status {
    node: String,
    incarnation: u64,
    run: u64,
    /// Why this node should get no work now; empty: it is ready.
    trouble: Vec<String>,
    /// The part of it that only another start heals.
    failure: Option<String>,
    /// What an operator should see to while the node works on.
    alarms: Vec<String>,
    members: Vec<Member>,
    groups: Vec<GroupStatus>,
    calls: usize,
    lag_ms: u64,
}

#[derive(Debug, Serialize)]
struct Member {
    name: String,
    roles: Vec<String>,
    version: String,
    draining: bool,
}

#[derive(Debug, Serialize)]
struct GroupStatus {
    group: u32,
    state: String,
    term: u64,
    applied: u64,
    snapshot: u64,
    /// Nodes that vote, by id.
    voters: Vec<u64>,
    /// Who votes is not settled.
    changing: bool,
    tenants: usize,
    calls: usize,
    outbox: usize,
}

/// `here`: groups with a replica on this node.
pub(crate) fn read(cluster: &Cluster, here: &[Arc<Group>]) -> Result<Json, Error> {
    let groups = groups(cluster, here);
    json(&Status {
        node: cluster.name().to_owned(),
        incarnation: cluster.incarnation(),
        run: cluster.boot(),
        trouble: trouble(cluster, here),
        failure: cluster.watch_failure().borrow().clone(),
        alarms: cluster.alarms(),
        members: members(cluster),
        calls: groups.iter().map(|group| group.calls).sum(),
        lag_ms: here.iter().map(|group| group.lag_ms()).max().unwrap_or(0),
        groups,
    })
}

/// Why a node with these groups should get no work now; empty: it is ready.
pub(crate) fn trouble(cluster: &Cluster, here: &[Arc<Group>]) -> Vec<String> {
    let failure = cluster.watch_failure().borrow().clone();
    let failure = failure.map(|why| format!("failed, start the node again: {why}"));
    let directory = lost_directory(cluster).then(|| "the directory has no leader".to_owned());
    let groups = here.iter().filter_map(|group| {
        let why = match no_leader(cluster, group.id) {
            true => "has no leader",
            false if is_idle(cluster, group) => "is led here and nobody carries its commands out",
            false => return None,
        };
        Some(format!("group {} {why}", group.id))
    });
    failure.into_iter().chain(directory).chain(groups).collect()
}

/// A node without a replica of it follows it from elsewhere.
fn lost_directory(cluster: &Cluster) -> bool {
    let held = cluster.directory().groups_of(cluster.node()).any(|(group, _)| group == DIRECTORY);
    held && no_leader(cluster, DIRECTORY)
}

fn no_leader(cluster: &Cluster, group: u32) -> bool {
    cluster.group(group).is_none_or(|group| group.leadership() == Leadership::None)
}

/// Led by this node's log, but not by its actors.
pub(super) fn is_idle(cluster: &Cluster, group: &Group) -> bool {
    !group.is_led() && cluster.group(group.id).is_some_and(|group| group.leadership().is_leader())
}

fn members(cluster: &Cluster) -> Vec<Member> {
    let directory = cluster.directory();
    let member = |member: &mangrove_membership::Member| Member {
        name: member.name.clone(),
        roles: member.roles.iter().cloned().collect(),
        version: member.version.clone(),
        draining: member.draining,
    };
    directory.members.values().map(member).collect()
}

fn groups(cluster: &Cluster, here: &[Arc<Group>]) -> Vec<GroupStatus> {
    let group = |group: &Group| {
        let raft = cluster.group(group.id)?.status();
        let state = group.shared.get().state;
        Some(GroupStatus {
            group: group.id,
            state: raft.state.to_owned(),
            term: raft.term,
            applied: raft.applied,
            snapshot: raft.snapshot,
            voters: raft.voters,
            changing: raft.changing,
            tenants: state.tenants().count(),
            calls: crate::shard::call_count(&state),
            outbox: state.outbox().count(),
        })
    };
    here.iter().filter_map(|one| group(one)).collect()
}
