//! The node as an operator wants to see it.

use mangrove_membership::{DIRECTORY, Leadership};
use mangrove_proto::{control::Json, service::Error};
use serde::Serialize;

use super::json;
use crate::{control::Control, group::Group};

#[derive(Debug, Serialize)]
struct Status {
    node: String,
    incarnation: u64,
    run: u64,
    /// Why this node should get no work now; empty: it is ready.
    trouble: Vec<String>,
    /// The part of it that only another start heals.
    failure: Option<String>,
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

pub(super) fn read(control: &Control) -> Result<Json, Error> {
    let cluster = control.cluster();
    let groups = groups(control);
    let failure = cluster.watch_failure().borrow().clone();
    json(&Status {
        node: cluster.name().to_owned(),
        incarnation: cluster.incarnation(),
        run: cluster.boot(),
        trouble: trouble(control, failure.as_deref()),
        failure,
        members: members(control),
        calls: groups.iter().map(|group| group.calls).sum(),
        lag_ms: control.groups().iter().map(|group| group.lag_ms()).max().unwrap_or(0),
        groups,
    })
}

impl Control {
    /// Why this node should get no work now; empty: it is ready.
    pub fn trouble(&self) -> Vec<String> {
        let failure = self.cluster().watch_failure().borrow().clone();
        trouble(self, failure.as_deref())
    }
}

fn trouble(control: &Control, failure: Option<&str>) -> Vec<String> {
    let failure = failure.map(|why| format!("failed, start the node again: {why}"));
    let directory = lost_directory(control).then(|| "the directory has no leader".to_owned());
    let groups = control.groups();
    let groups = groups.iter().filter_map(|group| {
        let why = match no_leader(control, group.id) {
            true => "has no leader",
            false if is_idle(control, group) => "is led here and nobody carries its commands out",
            false => return None,
        };
        Some(format!("group {} {why}", group.id))
    });
    failure.into_iter().chain(directory).chain(groups).collect()
}

/// A node without a replica of it follows it from elsewhere.
fn lost_directory(control: &Control) -> bool {
    let cluster = control.cluster();
    let held = cluster.directory().groups_of(cluster.node()).any(|(group, _)| group == DIRECTORY);
    held && no_leader(control, DIRECTORY)
}

fn no_leader(control: &Control, group: u32) -> bool {
    control.cluster().group(group).is_none_or(|group| group.leadership() == Leadership::None)
}

/// Led by this node's log, but not by its actors.
pub(super) fn is_idle(control: &Control, group: &Group) -> bool {
    !group.is_led() && control.cluster().group(group.id).is_some_and(|group| group.leadership().is_leader())
}

fn members(control: &Control) -> Vec<Member> {
    let directory = control.cluster().directory();
    let member = |member: &mangrove_membership::Member| Member {
        name: member.name.clone(),
        roles: member.roles.iter().cloned().collect(),
        version: member.version.clone(),
        draining: member.draining,
    };
    directory.members.values().map(member).collect()
}

fn groups(control: &Control) -> Vec<GroupStatus> {
    let group = |group: &Group| {
        let raft = control.cluster().group(group.id)?.status();
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
    control.groups().iter().filter_map(|one| group(one)).collect()
}
