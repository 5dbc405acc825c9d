//! Group 0's leader asks every member whether it runs, and has the directory note who answers no more, and who again.
//!
//! A verdict is proposed here only, never handed to another leader, and names the term in which it was reached: one of
//! a leader deposed meanwhile is refused wherever it turns up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mangrove_proto::cluster::PingRequest;
use mangrove_proto::cluster::membership_client::MembershipClient;
use mangrove_raft::{Handle, Leadership, NodeId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::Cluster;
use super::falls::Falls;
use super::pulse::{Ping, Pulse};
use super::verdicts::{Told, Verdicts};
use crate::directory::{Command, Directory, TOGETHER};
use crate::error::Error;
use crate::{DIRECTORY, machine};

/// What one leadership has seen.
#[derive(Default)]
struct Watchman {
    term: u64,
    /// Who led before, as far as this node knew.
    predecessor: Option<NodeId>,
    pulses: BTreeMap<NodeId, Pulse>,
    verdicts: Verdicts,
    pings: JoinSet<(NodeId, Ping)>,
    asked: BTreeSet<NodeId>,
}

impl Cluster {
    /// Watches while this node leads group 0, until it stops.
    pub(super) fn keep_watch(&self) {
        let cluster = self.clone();
        self.spawn(async move { cluster.watch_members().await });
    }

    async fn watch_members(&self) {
        let mut ticks = interval(self.node.options.pulse.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watchman = Watchman::default();
        let mut falls = Falls::default();
        let mut leadership = None;
        let mut followed = None;
        loop {
            let ping = tokio::select! {
                _ = ticks.tick() => {
                    leadership = leadership.or_else(|| Some(self.group(DIRECTORY)?.watch_leadership()));
                    None
                }
                // A new leader begins at once: its predecessor is silent already, most likely.
                () = next_leadership(&mut leadership) => {
                    ticks.reset();
                    None
                }
                Some(ping) = watchman.pings.join_next() => Some(ping),
            };
            falls.see(self.directory().members.values(), Instant::now());
            let group = self.group(DIRECTORY);
            followed = group.as_ref().and_then(leader_of).or(followed);
            let Some((term, group)) = group.and_then(|group| Some((term_led(&group)?, group))) else {
                watchman = Watchman::default();
                continue;
            };
            if watchman.term != term {
                watchman = Watchman { term, predecessor: followed.take(), ..Watchman::default() };
            }
            match ping {
                None => self.ping_all(&mut watchman),
                // A ping that panicked says nothing about the member.
                Some(Err(_)) => watchman.asked.clear(),
                Some(Ok((id, ping))) => self.weigh(&mut watchman, &falls, id, ping),
            }
            self.tell_verdicts(&mut watchman, &group).await;
        }
    }

    fn ping_all(&self, watchman: &mut Watchman) {
        let directory = self.directory();
        watchman.pulses.retain(|id, _| directory.member(*id).is_some());
        watchman.verdicts.keep(|id| directory.member(id).is_some());
        watchman.verdicts.find(&directory.orphaning(), Instant::now());
        for member in directory.members.values() {
            if watchman.asked.insert(member.id) {
                let was_followed = watchman.predecessor == Some(member.id);
                let (began, rule) = (self.node.began, &self.node.options.pulse);
                let first = || Pulse::first(was_followed, began, Instant::now(), rule);
                watchman.pulses.entry(member.id).or_insert_with(first);
                let (cluster, id, address) = (self.clone(), member.id, member.address.clone());
                let term = watchman.term;
                watchman.pings.spawn(async move { (id, cluster.answers(id, &address, term).await) });
            }
        }
    }

    /// Whether this very node answers, in half the time after which it would be lost.
    async fn answers(&self, id: NodeId, address: &str, term: u64) -> Ping {
        if id == self.node() {
            return Ping::Answered;
        }
        let Ok(channel) = self.node.network.channel(address) else { return Ping::Silent };
        let request = PingRequest { incarnation: self.incarnation(), leader: self.node(), term };
        let limit: Duration = self.node.options.pulse.lost_after / 2;
        let answer = timeout(limit, async { MembershipClient::new(channel).ping(request).await }).await;
        match answer {
            Ok(Ok(answer)) if answer.get_ref().node == id => Ping::Answered,
            // Another node may have its address by now.
            Ok(Ok(_)) => Ping::Refused,
            Ok(Err(status)) if is_refused(&status) => Ping::Refused,
            _ => Ping::Silent,
        }
    }

    fn weigh(&self, watchman: &mut Watchman, falls: &Falls, id: NodeId, ping: Ping) {
        watchman.asked.remove(&id);
        let now = Instant::now();
        let Some(pulse) = watchman.pulses.get_mut(&id) else { return };
        pulse.ping(ping, now);
        let Some(alive) = self.directory().member(id).map(|member| member.alive) else { return };
        let verdict = pulse.judge(alive, falls.recent(id, now), now, &self.node.options.pulse);
        watchman.verdicts.reach(id, verdict, now);
    }

    async fn tell_verdicts(&self, watchman: &mut Watchman, group: &Handle) {
        let (directory, now) = (self.directory(), Instant::now());
        let hangs = watchman.hangs_in_the_balance(&directory);
        let told = watchman.verdicts.due(hangs, now, &self.node.options.pulse);
        if told.is_empty() {
            return;
        }
        if let Err(error) = tell(group, commands(&told, watchman.term, directory.all_speak(TOGETHER))).await {
            tracing::warn!(?told, %error, "what became of members was not noted");
            return;
        }
        watchman.verdicts.told(&told);
        for id in told.lost.iter().filter(|id| directory.member(**id).is_some_and(|member| member.alive)) {
            tracing::warn!(node = id, "a member does not answer and is lost");
        }
        for id in told.back {
            tracing::info!(node = id, "a member answers again");
        }
    }
}

impl Watchman {
    /// Whether of some member it is not clear yet if it is lost, or back.
    fn hangs_in_the_balance(&self, directory: &Directory) -> bool {
        let open = self.pulses.iter().filter(|(id, _)| !self.verdicts.has(**id));
        let mut alive = open.filter_map(|(id, pulse)| Some((pulse, directory.member(*id)?.alive)));
        alive.any(|(pulse, alive)| pulse.hangs_in_the_balance(alive))
    }
}

/// One where all members understand it, else one after the other.
fn commands(told: &Told, term: u64, together: bool) -> Vec<Command> {
    if together {
        return vec![Command::MembersJudged { lost: told.lost.clone(), back: told.back.clone(), term }];
    }
    let lost = told.lost.iter().map(|id| Command::MemberLost { id: *id, term });
    lost.chain(told.back.iter().map(|id| Command::MemberBack { id: *id, term })).collect()
}

/// Until another leads, or nobody. A group that has stopped is forgotten, and one that is not there yet has no news.
async fn next_leadership(watched: &mut Option<watch::Receiver<Leadership>>) {
    let Some(leadership) = watched else { return std::future::pending().await };
    if leadership.changed().await.is_err() {
        *watched = None;
    }
}

/// Whether the machine answers that nobody listens there.
fn is_refused(status: &tonic::Status) -> bool {
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused) {
            return true;
        }
        source = error.source();
    }
    false
}

fn term_led(group: &Handle) -> Option<u64> {
    match group.leadership() {
        Leadership::Leader { term, .. } => Some(term),
        _ => None,
    }
}

fn leader_of(group: &Handle) -> Option<NodeId> {
    match group.leadership() {
        Leadership::Follower { leader, .. } => Some(leader),
        _ => None,
    }
}

/// A leader that was cut off must not condemn those it was cut off from: a majority has to answer first.
async fn tell(group: &Handle, commands: Vec<Command>) -> Result<(), Error> {
    group.linearizable().await?;
    for command in commands {
        let (_, outcome): machine::Answer =
            machine::decode(&group.propose(machine::encode(&command)).await?)?;
        outcome?;
    }
    Ok(())
}
