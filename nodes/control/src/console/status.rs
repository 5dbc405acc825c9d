//! The node as an operator wants to see it.

use mangrove_proto::{control::Json, service::Error};
use serde::Serialize;

use super::json;
use crate::control::Control;

#[derive(Debug, Serialize)]
struct Status {
    node: String,
    incarnation: u64,
    run: u64,
    /// Why this node stopped acknowledging, if it did.
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
    tenants: usize,
    calls: usize,
    outbox: usize,
}

pub(super) fn read(control: &Control) -> Result<Json, Error> {
    let cluster = control.cluster();
    let groups = groups(control);
    json(&Status {
        node: cluster.name().to_owned(),
        incarnation: cluster.incarnation(),
        run: cluster.boot(),
        failure: cluster.watch_failure().borrow().clone(),
        members: members(control),
        calls: groups.iter().map(|group| group.calls).sum(),
        lag_ms: control.groups().map(|group| group.proposer.lag_ms()).max().unwrap_or(0),
        groups,
    })
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
    let group = |group: &crate::control::Group| {
        let raft = control.cluster().group(group.id)?.status();
        let state = group.shared.get().state;
        Some(GroupStatus {
            group: group.id,
            state: raft.state.to_owned(),
            term: raft.term,
            applied: raft.applied,
            snapshot: raft.snapshot,
            tenants: state.tenants().count(),
            calls: crate::shard::call_count(&state),
            outbox: state.outbox().count(),
        })
    };
    control.groups().filter_map(group).collect()
}
