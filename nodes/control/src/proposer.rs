//! The one way into a group's log: gathers waiting commands into one entry, stamps it, and tells each author the reply.
//!
//! Two entries of one leadership are on their way at a time, and nothing overtakes what failed: an entry is appended under
//! the leadership that it is stamped for or not at all (ADR 22). While they are, what comes in gathers. An idle group
//! commits at once, and a busy one pays for one write per batch. While another node leads, batches go to that node
//! instead, one at a time.

mod authors;
mod flights;
mod gather;
mod lag;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mangrove_domain::{Command, Fence, Reply};
use mangrove_membership::{Handle, Leadership, Underway};
use mangrove_proto::service::Error;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    clock::{self, Clock},
    entry::{self, Entry},
    forward::Forward,
    progress::Progress,
};
use authors::{Authors, Entered};
use flights::Flights;
use gather::Gathering;
use lag::Lag;

/// How long somebody who asks once waits for a leader: two elections.
const PATIENCE: Duration = Duration::from_secs(3);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// How long an author waits to see here what another node has committed.
const CATCH_UP: Duration = Duration::from_secs(1);

/// A group's proposer, to be cloned.
#[derive(Debug, Clone)]
pub(crate) struct Proposer {
    group: u32,
    queue: mpsc::UnboundedSender<Pending>,
    lag: Arc<Lag>,
    progress: Option<Progress>,
}

#[derive(Debug)]
struct Pending {
    command: Command,
    since: Instant,
    /// The term of the only leadership that may commit it; none: any.
    under: Option<u64>,
    reply: Option<oneshot::Sender<Outcome>>,
}

impl Pending {
    /// Whether a leadership of this term here may commit it, or one elsewhere if there is none here.
    fn is_for(&self, term: Option<u64>) -> bool {
        self.under.is_none() || self.under == term
    }

    /// Whether somebody waited for it and has gone, and may have asked elsewhere.
    fn is_given_up(&self) -> bool {
        self.reply.as_ref().is_some_and(oneshot::Sender::is_closed)
    }
}

/// What `apply` said.
pub(crate) type Outcome = Result<Done, Error>;

/// A command that is committed.
#[derive(Debug)]
pub(crate) struct Done {
    pub reply: Reply,
    /// By which log position it is applied, if another node applied it first.
    elsewhere: Option<u64>,
}

/// Where a proposer's entries go.
#[derive(Debug)]
pub(crate) struct Way {
    pub group: u32,
    /// The replica on this node; none where there is none.
    pub replica: Option<Replica>,
    pub forward: Forward,
}

/// A replica on this node, and the running leadership's clock: none while another node leads.
#[derive(Debug)]
pub(crate) struct Replica {
    pub handle: Handle,
    pub clock: watch::Receiver<Option<Clock>>,
    pub progress: Progress,
}

impl Proposer {
    /// Starts the group's batching task.
    pub(crate) fn start(way: Way) -> Self {
        let (queue, waiting) = mpsc::unbounded_channel();
        let lag = Arc::new(Lag::new());
        let progress = way.replica.as_ref().map(|replica| replica.progress.clone());
        let proposer = Self { group: way.group, queue, lag: lag.clone(), progress };
        tokio::spawn(run(way, waiting, lag));
        proposer
    }

    /// Commits a command and waits for what `apply` said, and, where there is a replica, until it shows here.
    pub(crate) async fn propose(&self, command: Command) -> Result<Reply, Error> {
        // Who reads here later than that reads what was before, and may ask again.
        self.commit(command).await.map(|(reply, _)| reply)
    }

    /// What `apply` said, and whether it shows here.
    async fn commit(&self, command: Command) -> Result<(Reply, bool), Error> {
        let done = self.submit(command).await.unwrap_or_else(|_| Err(no_leader(self.group)))?;
        let shows = match (done.elsewhere, &self.progress) {
            (Some(index), Some(progress)) => {
                tokio::time::timeout(CATCH_UP, progress.reached(index)).await.is_ok()
            }
            _ => true,
        };
        Ok((done.reply, shows))
    }

    /// As `propose`, for people and programs that ask once: while the group changes its leader nothing is committed, or the
    /// old one can't be reached though no other is known yet, and it is tried again. Repeating is harmless.
    pub(crate) async fn ask(&self, command: Command) -> Result<Reply, Error> {
        self.ask_to_see(command).await.map(|(reply, _)| reply)
    }

    /// As `ask`, and whether what came of it shows here: if not, what is read here may be from before.
    pub(crate) async fn ask_to_see(&self, command: Command) -> Result<(Reply, bool), Error> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match self.commit(command.clone()).await {
                Err(error) if error.is_retryable() && tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Queues a command now, so that the order of calls is the order in the log; the reply comes later.
    pub(crate) fn submit(&self, command: Command) -> oneshot::Receiver<Outcome> {
        self.queue_up(command, None)
    }

    /// As `submit`, for the leadership of this term on this node alone.
    pub(crate) fn submit_under(&self, term: u64, command: Command) -> oneshot::Receiver<Outcome> {
        self.queue_up(command, Some(term))
    }

    fn queue_up(&self, command: Command, under: Option<u64>) -> oneshot::Receiver<Outcome> {
        let (reply, outcome) = oneshot::channel();
        self.send(command, under, Some(reply));
        outcome
    }

    /// Queues a command whose outcome nobody waits for.
    pub(crate) fn cast(&self, command: Command) {
        self.send(command, None, None);
    }

    /// Milliseconds that the last commands took, as the measure of overload.
    pub(crate) fn lag_ms(&self) -> u64 {
        self.lag.ms()
    }

    fn send(&self, command: Command, under: Option<u64>, reply: Option<oneshot::Sender<Outcome>>) {
        // A closed queue drops the reply's sender: the author learns it as "no leader".
        let _ = self.queue.send(Pending { command, since: Instant::now(), under, reply });
    }
}

fn no_leader(group: u32) -> Error {
    Error::NoLeader { group: group.into() }
}

async fn run(way: Way, waiting: mpsc::UnboundedReceiver<Pending>, lag: Arc<Lag>) {
    let mut gathering = Gathering::new(waiting);
    let mut flights = Flights::new(way.group, lag);
    loop {
        tokio::select! {
            biased;
            () = flights.land() => {}
            more = gathering.fill(), if flights.have_room() => {
                if !more {
                    return flights.land_all().await;
                }
                way.fly(gathering.take(), &mut flights).await;
            }
        }
    }
}

impl Way {
    /// Begins one entry's way through the log here, or goes all of it at the node that leads.
    async fn fly(&self, mut batch: Vec<Pending>, flights: &mut Flights) {
        loop {
            let leading = self.leading();
            self.sort_out(&mut batch, leading.map(|(_, fence)| fence.term));
            if batch.is_empty() {
                return;
            }
            match leading {
                Some((replica, fence)) if flights.may_follow(fence) => {
                    let (commands, authors) = Authors::of(batch);
                    return match replica.begin(fence, commands).await {
                        Ok(underway) => flights.add(fence, underway, authors),
                        Err(error) => authors.tell(Err(error)),
                    };
                }
                None if flights.is_empty() => {
                    if let Some(outcome) = self.send_on(&batch).await {
                        return Authors::of(batch).1.tell(outcome);
                    }
                }
                _ => flights.land_all().await,
            }
        }
    }

    /// Takes out what nobody waits for any more and what is for another leadership than the one of this term here.
    fn sort_out(&self, batch: &mut Vec<Pending>, term: Option<u64>) {
        batch.retain(|pending| !pending.is_given_up());
        let others: Vec<Pending> = batch.extract_if(.., |pending| !pending.is_for(term)).collect();
        if !others.is_empty() {
            Authors::of(others).1.tell(Err(no_leader(self.group)));
        }
    }

    /// To the node that leads. None when the lead has changed before it answered: one that has stopped must not keep commands
    /// from the next. Repeating them is harmless.
    async fn send_on(&self, batch: &[Pending]) -> Option<Result<Entered, Error>> {
        let commands: Vec<&Command> = batch.iter().map(|pending| &pending.command).collect();
        let changed = async {
            let Some(replica) = &self.replica else { return std::future::pending().await };
            let mut leadership = replica.handle.watch_leadership();
            leadership.mark_unchanged();
            // A replica that has stopped tells nothing any more.
            if leadership.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            outcome = self.forward.propose(self.group, &commands) => Some(outcome.map(Entered::from)),
            () = changed => None,
        }
    }

    fn leading(&self) -> Option<(&Replica, mangrove_membership::Fence)> {
        let replica = self.replica.as_ref()?;
        match replica.handle.leadership() {
            Leadership::Leader { fence, .. } => Some((replica, fence)),
            _ => None,
        }
    }
}

impl Replica {
    async fn begin(
        &self,
        fence: mangrove_membership::Fence,
        commands: Vec<Command>,
    ) -> Result<Underway, Error> {
        let group = self.handle.group();
        let clock = *self.clock.borrow();
        let clock = clock.filter(|clock| clock.term == fence.term).ok_or_else(|| no_leader(group))?;
        let bytes = stamped(fence, clock, commands)?;
        self.handle.propose_under(fence, bytes).await.map_err(|error| verdict(group, &error))
    }
}

fn stamped(
    fence: mangrove_membership::Fence,
    clock: Clock,
    commands: Vec<Command>,
) -> Result<Vec<u8>, Error> {
    let fence = Fence { incarnation: fence.incarnation, term: fence.term };
    let entry = Entry { now: clock.now(), wall: clock::wall(), seed: rand::random(), fence, commands };
    entry::encode(&entry)
        .map_err(|error| Error::Refused { why: format!("the command can't be written: {error}") })
}

fn verdict(group: u32, error: &mangrove_raft::Error) -> Error {
    match error {
        mangrove_raft::Error::NotLeader { .. } => Error::NoLeader { group: group.into() },
        other => Error::Unavailable { what: format!("group {group}"), why: other.to_string() },
    }
}

#[cfg(test)]
mod tests;
