//! The one way into a group's log: gathers waiting commands into one entry, stamps it, and tells each author the reply.
//!
//! A few entries are on their way at once; while they are, what comes in gathers. So an idle group commits at once,
//! and a busy one pays for one write per batch.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use futures::{StreamExt, stream::FuturesUnordered};
use mangrove_domain::{Command, Fence, Reply};
use mangrove_membership::{Handle, Leadership};
use mangrove_proto::service::Error;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    clock::{self, Clock},
    entry::{self, Entry},
    metrics,
};

/// Commands in one entry at most.
const BATCH: usize = 512;
/// Entries on their way at once.
const IN_FLIGHT: usize = 4;

/// A group's proposer, to be cloned.
#[derive(Debug, Clone)]
pub(crate) struct Proposer {
    group: u32,
    queue: mpsc::UnboundedSender<Pending>,
    lag: Arc<Lag>,
}

#[derive(Debug)]
struct Pending {
    command: Command,
    since: Instant,
    reply: Option<oneshot::Sender<Result<Reply, Error>>>,
}

/// How far behind the group is.
#[derive(Debug)]
struct Lag {
    origin: Instant,
    /// Milliseconds of the last commit, and when that was.
    last_ms: AtomicU64,
    at_ms: AtomicU64,
}

impl Lag {
    fn note(&self, since: Instant) {
        self.last_ms.store(since.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.at_ms.store(self.origin.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Old measurements count no more.
    fn ms(&self) -> u64 {
        let age =
            (self.origin.elapsed().as_millis() as u64).saturating_sub(self.at_ms.load(Ordering::Relaxed));
        if age > 1_000 { 0 } else { self.last_ms.load(Ordering::Relaxed) }
    }
}

impl Proposer {
    /// Starts the group's batching task. `clock` holds the running leadership's clock, none while another node leads.
    pub(crate) fn start(handle: Handle, clock: watch::Receiver<Option<Clock>>) -> Self {
        let (queue, waiting) = mpsc::unbounded_channel();
        let lag =
            Arc::new(Lag { origin: Instant::now(), last_ms: AtomicU64::new(0), at_ms: AtomicU64::new(0) });
        let proposer = Self { group: handle.group(), queue, lag: lag.clone() };
        tokio::spawn(run(handle, clock, waiting, lag));
        proposer
    }

    /// Commits a command and waits for what `apply` said.
    pub(crate) async fn propose(&self, command: Command) -> Result<Reply, Error> {
        let outcome = self.submit(command);
        outcome.await.unwrap_or(Err(self.no_leader()))
    }

    /// Queues a command now, so that the order of calls is the order in the log; the reply comes later.
    pub(crate) fn submit(&self, command: Command) -> oneshot::Receiver<Result<Reply, Error>> {
        let (reply, outcome) = oneshot::channel();
        self.send(command, Some(reply));
        outcome
    }

    /// Queues a command whose outcome nobody waits for.
    pub(crate) fn cast(&self, command: Command) {
        self.send(command, None);
    }

    /// Milliseconds that the last commands took, as the measure of overload.
    pub(crate) fn lag_ms(&self) -> u64 {
        self.lag.ms()
    }

    fn send(&self, command: Command, reply: Option<oneshot::Sender<Result<Reply, Error>>>) {
        // A closed queue drops the reply's sender: the author learns it as "no leader".
        let _ = self.queue.send(Pending { command, since: Instant::now(), reply });
    }

    fn no_leader(&self) -> Error {
        Error::NoLeader { group: self.group.into() }
    }
}

async fn run(
    handle: Handle,
    clock: watch::Receiver<Option<Clock>>,
    mut waiting: mpsc::UnboundedReceiver<Pending>,
    lag: Arc<Lag>,
) {
    let mut flights = FuturesUnordered::new();
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            Some(()) = flights.next(), if !flights.is_empty() => {}
            count = waiting.recv_many(&mut batch, BATCH), if flights.len() < IN_FLIGHT => {
                if count == 0 { break; }
                let batch = std::mem::take(&mut batch);
                flights.push(fly(&handle, *clock.borrow(), batch, &lag));
            }
        }
    }
    while flights.next().await.is_some() {}
}

/// One entry's way through the log.
async fn fly(handle: &Handle, clock: Option<Clock>, batch: Vec<Pending>, lag: &Lag) {
    let oldest = batch.first().map(|pending| pending.since);
    let (commands, authors): (Vec<_>, Vec<_>) = batch.into_iter().map(|p| (p.command, p.reply)).unzip();
    let count = commands.len();
    let outcome = match stamped(handle, clock, commands) {
        Ok(bytes) => handle.propose(bytes).await.map_err(|error| verdict(handle.group(), &error)),
        Err(error) => Err(error),
    };
    if let Some(since) = oldest {
        lag.note(since);
        metrics::committed(since.elapsed().as_secs_f64());
    }
    metrics::proposed(count);
    answer(outcome, authors);
}

fn stamped(handle: &Handle, clock: Option<Clock>, commands: Vec<Command>) -> Result<Vec<u8>, Error> {
    let no_leader = || Error::NoLeader { group: handle.group().into() };
    let Leadership::Leader { fence, .. } = handle.leadership() else { return Err(no_leader()) };
    let clock = clock.ok_or_else(no_leader)?;
    let fence = Fence { incarnation: fence.incarnation, term: fence.term };
    let entry = Entry { now: clock.now(), wall: clock::wall(), seed: rand::random(), fence, commands };
    entry::encode(&entry)
        .map_err(|error| Error::Refused { why: format!("the command can't be written: {error}") })
}

fn answer(outcome: Result<Vec<u8>, Error>, authors: Vec<Option<oneshot::Sender<Result<Reply, Error>>>>) {
    let mut replies = outcome.map(|bytes| entry::decode_replies(&bytes).into_iter());
    for author in authors {
        let reply = match &mut replies {
            Ok(replies) => {
                replies.next().ok_or_else(|| Error::Refused { why: "the entry could not be read".into() })
            }
            Err(error) => Err(error.clone()),
        };
        if let Some(author) = author {
            // Nobody may be waiting any more.
            let _ = author.send(reply);
        }
    }
}

fn verdict(group: u32, error: &mangrove_raft::Error) -> Error {
    match error {
        mangrove_raft::Error::NotLeader { .. } => Error::NoLeader { group: group.into() },
        other => Error::Unavailable { what: format!("group {group}"), why: other.to_string() },
    }
}
