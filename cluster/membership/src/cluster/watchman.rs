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
use super::pulse::{Ping, Pulse, Verdict};
use crate::directory::Command;
use crate::error::Error;
use crate::{DIRECTORY, machine};

/// What one leadership has seen.
#[derive(Default)]
struct Watchman {
    term: u64,
    /// Who led before, as far as this node knew.
    predecessor: Option<NodeId>,
    pulses: BTreeMap<NodeId, Pulse>,
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
                Some(Ok((id, ping))) => {
                    watchman.asked.remove(&id);
                    self.weigh(&mut watchman, &group, id, ping).await;
                }
            }
        }
    }

    fn ping_all(&self, watchman: &mut Watchman) {
        let directory = self.directory();
        watchman.pulses.retain(|id, _| directory.member(*id).is_some());
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

    async fn weigh(&self, watchman: &mut Watchman, group: &Handle, id: NodeId, ping: Ping) {
        let now = Instant::now();
        let Some(pulse) = watchman.pulses.get_mut(&id) else { return };
        pulse.ping(ping, now);
        let Some(alive) = self.directory().member(id).map(|member| member.alive) else { return };
        let Some(verdict) = pulse.judge(alive, now, &self.node.options.pulse) else { return };
        match tell(group, id, watchman.term, verdict).await {
            Ok(()) if verdict == Verdict::Lost => {
                pulse.fall(now);
                tracing::warn!(node = id, "a member does not answer and is lost");
            }
            Ok(()) => tracing::info!(node = id, "a member answers again"),
            Err(error) => {
                tracing::warn!(node = id, ?verdict, %error, "what became of a member was not noted")
            }
        }
    }
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
async fn tell(group: &Handle, id: NodeId, term: u64, verdict: Verdict) -> Result<(), Error> {
    group.linearizable().await?;
    let command = match verdict {
        Verdict::Lost => Command::MemberLost { id, term },
        Verdict::Back => Command::MemberBack { id, term },
    };
    let (_, outcome): machine::Answer = machine::decode(&group.propose(machine::encode(&command)).await?)?;
    outcome?;
    Ok(())
}
