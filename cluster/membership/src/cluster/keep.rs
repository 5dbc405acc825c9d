//! Keeping this node as the directory wants it, and the directory as the members are: one round at each change of the
//! directory and once a second, each step harmless when repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mangrove_raft::{GroupId, Handle, Leadership, NodeId};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::clocks::wall_ms;
use super::deposed::{Lead, Life};
use super::{Cluster, plan};
use crate::directory::{Command, Directory, Member};
use crate::error::Error;

const ROUND: Duration = Duration::from_secs(1);
/// A step that waits for a node which died under it is given up and tried again.
const STEP: Duration = Duration::from_secs(10);

/// What is under way and remembered between rounds.
#[derive(Default)]
struct Rounds {
    steps: JoinSet<GroupId>,
    busy: BTreeSet<GroupId>,
    /// Since when this leader of group 0 knows members to be silent.
    silent: BTreeMap<NodeId, Instant>,
    leads: BTreeMap<GroupId, Lead>,
}

impl Cluster {
    /// Runs the rounds and the heartbeats until the node stops.
    pub(super) fn keep_up(&self) {
        let (rounds, beats) = (self.clone(), self.clone());
        self.spawn(async move { rounds.rounds().await });
        self.spawn(async move { beats.beats().await });
    }

    /// Runs a task until it ends or the node stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut stop = self.node.stop.subscribe();
        self.tasks().spawn(async move {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => {}
                () = task => {}
            }
        });
    }

    async fn rounds(&self) {
        let mut directory = self.watch_directory();
        let mut ticks = interval(ROUND);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rounds = Rounds::default();
        let mut due = true;
        loop {
            if due {
                log_failure("round", self.round(&mut rounds).await);
            }
            due = tokio::select! {
                _ = ticks.tick() => true,
                Some(done) = rounds.steps.join_next() => rounds.done(done.ok()),
                changed = directory.changed() => if changed.is_ok() { true } else { return },
            };
        }
    }

    async fn round(&self, rounds: &mut Rounds) -> Result<(), Error> {
        let directory = self.directory();
        let address = |member: &Member| (member.id, member.address.clone());
        self.node.network.know(directory.members.values().map(address).collect());
        if self.leads_directory() {
            self.keep_plan(&directory, &mut rounds.silent).await?;
        } else {
            rounds.silent.clear();
        }
        for (group, _) in directory.groups_of(self.node()) {
            if directory.opened.contains(&group) {
                self.run_group(group).await?;
            }
        }
        for group in self.node.host.groups() {
            let Some(handle) = self.group(group).filter(|handle| !handle.has_ended()) else { continue };
            let deposed = rounds.deposed(&directory, &handle);
            if rounds.busy.insert(group) {
                rounds.steps.spawn(step(self.clone(), directory.clone(), handle, deposed));
            }
        }
        Ok(())
    }

    /// Group 0's leader plans for the members there are, and lets those go that are replaced, or gone and not missed.
    async fn keep_plan(
        &self,
        directory: &Directory,
        silent: &mut BTreeMap<NodeId, Instant>,
    ) -> Result<(), Error> {
        let is_silent = |id: &NodeId| directory.member(*id).is_some_and(|member| !member.alive);
        silent.retain(|id, _| is_silent(id));
        for id in directory.members.keys().filter(|id| is_silent(id)) {
            silent.entry(*id).or_insert_with(Instant::now);
        }
        let grace = self.node.options.grace;
        let given_up = |id: NodeId| silent.get(&id).is_some_and(|since| since.elapsed() >= grace);
        let plan = plan::wanted(directory, self.node.options.replicas, given_up);
        if plan != directory.plan {
            self.propose_directory(Command::SetPlan { plan }).await?;
        }
        self.release_replaced(directory).await?;
        self.forget_the_gone(directory, |id| silent.get(&id).map(Instant::elapsed)).await
    }

    async fn beats(&self) {
        let mut ticks = interval(self.node.options.heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.beat().await {
                // It must not run as it is, whatever it goes on with.
                Err(Error::Refused(refusal)) => self.fail(refusal.to_string()),
                outcome => log_failure("heartbeat", outcome),
            }
        }
    }

    pub(super) async fn beat(&self) -> Result<(), Error> {
        let id = self.node();
        // The directory has not reached this node yet, or it has left.
        if self.directory().member(id).is_none() {
            return Ok(());
        }
        self.describe().await?;
        self.propose_directory(Command::HeartbeatMember { id, at_ms: wall_ms() }).await?;
        Ok(())
    }

    /// Has the directory know this node as it is by now, if it knows it at all.
    pub(crate) async fn describe(&self) -> Result<(), Error> {
        let directory = self.directory();
        let member = directory.in_words_of_all(self.member());
        if directory.member(self.node()).is_none_or(|known| same_description(known, &member)) {
            return Ok(());
        }
        self.propose_directory(Command::JoinMember { member }).await?;
        self.warn_of_databases();
        Ok(())
    }
}

impl Rounds {
    /// Whom the group's lead does not go back to yet.
    fn deposed(&mut self, directory: &Directory, handle: &Handle) -> Option<NodeId> {
        let life = |node| directory.member(node).map(|member| Life { node, boot: member.boot });
        let lead = self.leads.entry(handle.group()).or_default();
        match handle.leadership() {
            Leadership::Leader { term, .. } => {
                let planned = directory.plan.groups.get(&handle.group())?.leader;
                lead.is_here(Instant::now(), term, life(planned))
            }
            Leadership::Follower { leader, term } => {
                lead.is_with(term, life(leader));
                None
            }
            Leadership::None => None,
        }
    }

    /// Whether a round is due now. A step that panicked is not known by its group: then all are tried again.
    fn done(&mut self, group: Option<GroupId>) -> bool {
        match group {
            Some(group) => drop(self.busy.remove(&group)),
            None => self.busy.clear(),
        }
        false
    }
}

async fn step(
    cluster: Cluster,
    directory: std::sync::Arc<Directory>,
    handle: Handle,
    deposed: Option<NodeId>,
) -> GroupId {
    let group = handle.group();
    match timeout(STEP, cluster.keep_group(&directory, &handle, deposed)).await {
        Ok(outcome) => log_failure("group", outcome),
        Err(_) => tracing::warn!(group, "a change of the group's nodes takes long; trying again"),
    }
    group
}

fn same_description(known: &Member, wanted: &Member) -> bool {
    let Member { heartbeat_ms, alive, draining, stopping, replaced, .. } = *known;
    *known == Member { heartbeat_ms, alive, draining, stopping, replaced, ..wanted.clone() }
}

fn log_failure(what: &'static str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(what, %error, "the node is not yet as the directory wants it; trying again");
    }
}
