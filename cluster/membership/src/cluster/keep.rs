//! Keeping this node as the directory wants it, and the directory as the members are: one round at each change of the
//! directory and once a second, each step harmless when repeated.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mangrove_placement::{Place, Plan, Problem, solve};
use mangrove_raft::{GroupId, Handle, NodeId, Peer};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Cluster;
use crate::DIRECTORY;
use crate::directory::{Command, Directory, Member};
use crate::error::Error;

const REPLICAS: usize = 3;
const ROUND: Duration = Duration::from_secs(1);

impl Cluster {
    /// Runs the rounds until the node stops.
    pub(super) fn keep_up(&self, heartbeat: Duration) {
        let cluster = self.clone();
        let mut stop = self.node.stop.subscribe();
        self.tasks().spawn(async move {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => {}
                () = cluster.rounds(heartbeat) => {}
            }
        });
    }

    async fn rounds(&self, heartbeat: Duration) {
        let mut directory = self.watch_directory();
        let mut ticks = interval(ROUND);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beaten: Option<Instant> = None;
        loop {
            if beaten.is_none_or(|at| at.elapsed() >= heartbeat) {
                beaten = Some(Instant::now());
                log_failure("heartbeat", self.beat().await);
            }
            log_failure("groups", self.round().await);
            tokio::select! {
                _ = ticks.tick() => {}
                changed = directory.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn beat(&self) -> Result<(), Error> {
        let id = self.node();
        match self.directory().member(id) {
            Some(known) if same_description(known, &self.node.member) => {}
            Some(known) => {
                let member = Member { draining: known.draining, ..self.node.member.clone() };
                self.propose_directory(Command::JoinMember { member }).await?;
            }
            // It has left, or the directory has not reached this node yet.
            None => return Ok(()),
        }
        let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        self.propose_directory(Command::HeartbeatMember { id, at_ms }).await?;
        Ok(())
    }

    async fn round(&self) -> Result<(), Error> {
        let directory = self.directory();
        self.keep_plan(&directory).await?;
        for (group, place) in &directory.plan.groups {
            if directory.opened.contains(group) && place.replicas.contains(&self.node()) {
                self.run_group(*group).await?;
            }
        }
        for group in self.node.host.groups() {
            if let (Some(handle), Some(place)) = (self.group(group), directory.plan.groups.get(&group)) {
                log_failure("group", self.keep_group(&directory, group, &handle, place).await);
            }
        }
        Ok(())
    }

    /// Group 0's leader plans for the members there are.
    async fn keep_plan(&self, directory: &Directory) -> Result<(), Error> {
        let leads = self.group(DIRECTORY).is_some_and(|group| group.leadership().is_leader());
        let plan = wanted_plan(directory);
        if leads && plan != directory.plan {
            self.propose_directory(Command::SetPlan { plan }).await?;
        }
        Ok(())
    }

    /// A group's leader makes its voters what the plan says, then hands the lead over; others stop what left them.
    async fn keep_group(
        &self,
        directory: &Directory,
        group: GroupId,
        handle: &Handle,
        place: &Place,
    ) -> Result<(), Error> {
        if !handle.leadership().is_leader() {
            return self.stop_if_left(group, handle, place).await;
        }
        let peer = |node: &NodeId| directory.member(*node).map(|member| (*node, Peer::new(&member.address)));
        let voters: BTreeMap<_, _> = place.replicas.iter().filter_map(peer).collect();
        if voters.len() != place.replicas.len() || !directory.opened.contains(&group) {
            return Ok(());
        }
        if place.leader != self.node() && handle.status().voters.contains(&place.leader) {
            handle.transfer_leadership(place.leader).await?;
            return Ok(());
        }
        Ok(handle.set_voters(&voters).await?)
    }

    async fn stop_if_left(&self, group: GroupId, handle: &Handle, place: &Place) -> Result<(), Error> {
        let status = handle.status();
        let member = status.voters.contains(&self.node()) || status.learners.contains(&self.node());
        if group != DIRECTORY && !place.replicas.contains(&self.node()) && !member {
            self.node.host.stop_group(group).await;
            self.node.groups.send_if_modified(|groups| groups.remove(&group));
        }
        Ok(())
    }
}

fn wanted_plan(directory: &Directory) -> Plan {
    let node = |member: &Member| {
        let node = mangrove_placement::Node { zone: member.zone.clone(), draining: member.draining };
        (member.id, node)
    };
    let problem = Problem {
        groups: directory.opened.iter().copied().collect(),
        nodes: directory.members.values().map(node).collect(),
        replicas: REPLICAS,
    };
    // Groups that have not begun stay where they are to begin.
    let mut plan = directory.plan.clone();
    plan.groups.extend(solve(&problem, &directory.plan).groups);
    plan
}

fn same_description(known: &Member, wanted: &Member) -> bool {
    let labels = Member { heartbeat_ms: known.heartbeat_ms, draining: known.draining, ..wanted.clone() };
    *known == labels
}

fn log_failure(what: &'static str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(what, %error, "the node is not yet as the directory wants it; trying again");
    }
}
