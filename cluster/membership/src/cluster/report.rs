//! What members tell of themselves, gathered for operators.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mangrove_proto::cluster::membership_client::MembershipClient;
use mangrove_proto::cluster::{Figure, GroupReport, ReportRequest, ReportResponse};
use mangrove_raft::{GroupId, Handle, Leadership, NodeId};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Cluster;
use crate::directory::{Directory, Member};

const DEADLINE: Duration = Duration::from_secs(1);

/// What the roles of a node tell of themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnReport {
    /// Numbers by name: `calls`, `streams`.
    pub figures: Vec<(String, u64)>,
    /// Why the node should get no work now, besides what the cluster knows; empty: it is ready.
    pub trouble: Vec<String>,
    /// What an operator should see to while the node works on.
    pub alarms: Vec<String>,
}

/// Answers at once, from memory.
pub type Reporter = Arc<dyn Fn() -> OwnReport + Send + Sync>;

/// A member as an operator wants to see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    pub name: String,
    pub id: NodeId,
    pub roles: Vec<String>,
    pub zone: String,
    pub address: String,
    pub version: String,
    pub protocol: u32,
    pub alive: bool,
    pub draining: bool,
    /// It is about to end and be started again.
    #[serde(default)]
    pub stopping: bool,
    /// It is given up and leaves when no group counts on it.
    pub replaced: bool,
    /// Replicas that the plan gives it, and how many of them it should lead.
    pub planned: usize,
    pub planned_leads: usize,
    /// Members whose addresses it carries: its own, and those of the lost whose heir it is.
    #[serde(default)]
    pub carries: Vec<String>,
    /// How many of these others could carry.
    #[serde(default)]
    pub movable: usize,
    /// Of how many of these the calls leave, for the node is about to go and the addresses stay.
    #[serde(default)]
    pub left: usize,
    /// What it told; none if it did not answer within a second.
    pub report: Option<Told>,
}

/// What a node told of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How often it was started.
    pub boot: u64,
    pub uptime_ms: u64,
    pub leads: usize,
    pub replicas: usize,
    /// Its replicas, in order of the groups.
    #[serde(default)]
    pub groups: Vec<GroupTold>,
    /// Why it should get no work now, and what else an operator should see to; empty: all is well.
    pub trouble: Vec<String>,
    pub figures: BTreeMap<String, u64>,
}

/// A replica as its node sees the group: of several who say that they lead it, the one in the latest term does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTold {
    pub group: GroupId,
    pub leads: bool,
    pub term: u64,
    /// Nodes that vote, by id.
    pub voters: Vec<NodeId>,
    /// Who votes is not settled.
    #[serde(default)]
    pub changing: bool,
}

impl Cluster {
    /// What this node's roles tell of themselves. Set it once, when they run.
    pub fn report_with(&self, reporter: Reporter) {
        if self.node.reporter.set(reporter).is_err() {
            tracing::warn!("this node's reporter was set already; the first one stays");
        }
    }

    /// What an operator should see to on this node while it works on.
    pub fn alarms(&self) -> Vec<String> {
        self.alarms_with(self.node.reporter.get().map(|report| report().alarms).unwrap_or_default())
    }

    /// What concerns the node as a member first, then what its roles tell.
    fn alarms_with(&self, roles: Vec<String>) -> Vec<String> {
        let certificate = self.node.options.transport.security.alarm();
        let own = self.node.clocks.alarm().into_iter().chain(certificate).chain(self.database_alarm());
        own.chain(roles).collect()
    }

    /// All members in order of their ids, each asked for its numbers, which takes a second at most.
    pub async fn nodes(&self) -> Vec<NodeStatus> {
        let directory = self.directory();
        let mut reports = self.reports(&directory).await;
        let status = |member: &Member| {
            let report = reports.remove(&member.id).flatten();
            status(&directory, member, report)
        };
        directory.members.values().map(status).collect()
    }

    /// The members' reports, asked for at the same time; none of who does not answer within a second.
    pub(super) async fn reports(&self, directory: &Directory) -> BTreeMap<NodeId, Option<ReportResponse>> {
        let mut asked = JoinSet::new();
        for member in directory.members.values() {
            let (cluster, id, address) = (self.clone(), member.id, member.address.clone());
            asked.spawn(async move { (id, cluster.report_of(id, &address).await) });
        }
        asked.join_all().await.into_iter().collect()
    }

    async fn report_of(&self, id: NodeId, address: &str) -> Option<ReportResponse> {
        if id == self.node() {
            return Some(self.own_report());
        }
        let channel = self.node.network.channel(address).ok()?;
        let request = ReportRequest { incarnation: self.incarnation() };
        let answer = timeout(DEADLINE, async { MembershipClient::new(channel).report(request).await }).await;
        Some(answer.ok()?.ok()?.into_inner()).filter(|report| report.node == id)
    }

    /// Whether this node leads a group.
    pub fn leads_any(&self) -> bool {
        let groups = self.node.host.groups().into_iter().filter_map(|group| self.group(group));
        groups.into_iter().any(|group| group.leadership().is_leader())
    }

    /// Whether this node leads what the plan has given it. False while the plan has given it nothing yet, though it
    /// could lead.
    pub fn leads_its_share(&self) -> bool {
        let directory = self.directory();
        let mut planned = directory.groups_of(self.node()).filter(|(_, place)| place.leader == self.node());
        let leads = |group| self.group(group).is_some_and(|group| group.leadership().is_leader());
        let has_share = planned.next().is_some_and(|(group, _)| leads(group));
        !self.member().is_control() || (has_share && planned.all(|(group, _)| leads(group)))
    }

    pub(crate) fn own_report(&self) -> ReportResponse {
        let own = self.node.reporter.get().map(|report| report()).unwrap_or_default();
        let groups = self.node.host.groups();
        let handles: Vec<_> = groups.into_iter().filter_map(|group| self.group(group)).collect();
        let failure = self.watch_failure().borrow().clone();
        let failure = failure.map(|why| format!("failed, start the node again: {why}"));
        let leaderless = handles.iter().filter(|group| group.leadership() == Leadership::None);
        let leaderless = leaderless.map(|group| format!("group {} has no leader", group.group()));
        let alarms = self.alarms_with(own.alarms);
        let trouble = failure.into_iter().chain(leaderless).chain(own.trouble).chain(alarms).collect();
        ReportResponse {
            node: self.node(),
            boot: self.boot(),
            uptime_ms: self.node.began.elapsed().as_millis() as u64,
            trouble,
            groups: handles.iter().map(group_report).collect(),
            figures: own.figures.into_iter().map(|(name, value)| Figure { name, value }).collect(),
        }
    }
}

fn group_report(handle: &Handle) -> GroupReport {
    let status = handle.status();
    GroupReport {
        group: handle.group(),
        leads: handle.leadership().is_leader(),
        term: status.term,
        voters: status.voters,
        learners: status.learners,
        changing: status.changing,
    }
}

fn status(directory: &Directory, member: &Member, report: Option<ReportResponse>) -> NodeStatus {
    let planned: Vec<_> = directory.groups_of(member.id).map(|(_, place)| place.leader).collect();
    let carries = carries(directory, member.id);
    NodeStatus {
        name: member.name.clone(),
        id: member.id,
        roles: member.roles.iter().cloned().collect(),
        zone: member.zone.clone(),
        address: member.address.clone(),
        version: member.version.clone(),
        protocol: member.protocol,
        alive: member.alive,
        draining: member.draining,
        stopping: member.stopping,
        replaced: member.replaced,
        planned: planned.len(),
        planned_leads: planned.iter().filter(|leader| **leader == member.id).count(),
        left: carries.iter().filter(|name| directory.is_left(name)).count(),
        carries,
        movable: directory.yields(member.id).len(),
        report: report.map(told),
    }
}

fn carries(directory: &Directory, host: NodeId) -> Vec<String> {
    let held = directory.leases.iter().filter(|(_, lease)| lease.host == host);
    held.map(|(name, _)| name.clone()).collect()
}

fn told(report: ReportResponse) -> Told {
    Told {
        boot: report.boot,
        uptime_ms: report.uptime_ms,
        leads: report.groups.iter().filter(|group| group.leads).count(),
        replicas: report.groups.len(),
        groups: report.groups.into_iter().map(group_told).collect(),
        trouble: report.trouble,
        figures: report.figures.into_iter().map(|figure| (figure.name, figure.value)).collect(),
    }
}

fn group_told(GroupReport { group, leads, term, voters, changing, .. }: GroupReport) -> GroupTold {
    GroupTold { group, leads, term, voters, changing }
}
