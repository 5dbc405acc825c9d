//! Recordings: sound from the media threads is aligned to two channels, cut into parts of a second, and written to the
//! object store as the call goes on; at the end the parts become one file, WAV or Opus. A failing store never touches a
//! call: parts wait on this machine's disk, where that is full in memory, and what fits nowhere is silence that the
//! report names.

mod aligning;
mod claims;
mod compact;
mod inbox;
mod judge;
mod layout;
mod left;
mod making;
mod open;
mod parts;
mod piece;
mod spool;
mod store;
mod sweep;
mod writer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use object_store::ObjectStore;
use tokio::sync::{mpsc, oneshot};

pub(crate) use open::Ticket;
pub use spool::Spool;
pub(crate) use store::Failing;

use crate::{
    gate::Gate,
    metrics::{RECORDING_DROPPED, RECORDING_WAITING},
    outbox::Outbox,
    thread::Batch,
};

/// What the recorder needs of its node.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// This run of the node: who takes up a recording that another writes says so in its note.
    pub(crate) writer: String,
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// The same place, for parts only: they may be lost with the machine's power.
    pub(crate) parts: Arc<dyn ObjectStore>,
    pub(crate) outbox: Arc<Outbox>,
    /// Nothing is read or written in the store before it is open.
    pub(crate) gate: Gate,
    pub(crate) segment: Duration,
    pub(crate) memory: usize,
    /// Where what the store does not take waits.
    pub(crate) spool: Option<Spool>,
    pub(crate) failing: Failing,
}

#[derive(Debug)]
enum Message {
    Begin {
        number: u64,
        ticket: Ticket,
        now_us: u64,
        ran_ms: u64,
    },
    Batch(Batch),
    /// From now on there is silence.
    Pause {
        number: u64,
        now_us: u64,
    },
    Resume {
        number: u64,
        now_us: u64,
    },
    Finish {
        number: u64,
        now_us: u64,
    },
    Leave {
        number: u64,
        now_us: u64,
    },
    FinishLeft {
        ticket: Ticket,
        ran_ms: Option<u64>,
    },
    /// Writes what is gathered and answers when it is in the store.
    Suspend(oneshot::Sender<()>),
}

/// The way to the recorder, for any thread; never waits.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    messages: mpsc::UnboundedSender<Message>,
    /// Bytes on their way to the recorder.
    backlog: Arc<AtomicUsize>,
    failing: Failing,
    spool: Option<Spool>,
}

/// Sound on its way to the recorder, beyond which it falls behind hopelessly: a minute of a thousand calls.
const BACKLOG: usize = 1000 * 60 * 16_000;

impl Recorder {
    /// Starts the recorder on the present runtime.
    pub(crate) fn start(settings: Settings) -> (Self, tokio::task::AbortHandle) {
        let (messages, inbox) = mpsc::unbounded_channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let (failing, spool) = (settings.failing.clone(), settings.spool.clone());
        let task = tokio::spawn(aligning::run(settings, inbox, backlog.clone()));
        (Self { messages, backlog, failing, spool }, task.abort_handle())
    }

    /// A recording begins, or goes on where a former run left it. It should have begun `ran_ms` ago: what nobody recorded of
    /// that is missing.
    pub(crate) fn begin(&self, number: u64, ticket: Ticket, now_us: u64, ran_ms: u64) {
        self.send(Message::Begin { number, ticket, now_us, ran_ms });
    }

    /// Takes sound; when the recorder is hopelessly behind, only the news of what is lost.
    pub(crate) fn add(&self, mut batch: Batch) {
        let bytes = batch.bytes.len();
        if self.backlog.fetch_add(bytes, Ordering::Relaxed) > BACKLOG {
            self.backlog.fetch_sub(bytes, Ordering::Relaxed);
            metrics::counter!(RECORDING_DROPPED).increment(bytes as u64);
            batch.bytes = Vec::new();
        }
        self.send(Message::Batch(batch));
    }

    /// From now on there is silence, whatever is added.
    pub(crate) fn pause(&self, number: u64, now_us: u64) {
        self.send(Message::Pause { number, now_us });
    }

    /// What is said from now on is kept again.
    pub(crate) fn resume(&self, number: u64, now_us: u64) {
        self.send(Message::Resume { number, now_us });
    }

    /// The recording is complete.
    pub(crate) fn finish(&self, number: u64, now_us: u64) {
        self.send(Message::Finish { number, now_us });
    }

    /// Writes what is gathered and no more: another node goes on with the recording.
    pub(crate) fn leave(&self, number: u64, now_us: u64) {
        self.send(Message::Leave { number, now_us });
    }

    /// Puts together what is in the store of a recording whose node is gone and whose call is over, or reports it again if that
    /// is done; nothing to do if this node is about to. It should be as long as it ran, if that is known.
    pub(crate) fn finish_left(&self, ticket: Ticket, ran_ms: Option<u64>) {
        self.send(Message::FinishLeft { ticket, ran_ms });
    }

    /// Writes the open parts, for the next run to go on with.
    pub(crate) async fn suspend(&self) {
        let (answer, written) = oneshot::channel();
        self.send(Message::Suspend(answer));
        // Gone without an answer is as good as done: there is nobody to wait for.
        let _ = written.await;
    }

    /// A sentence for operators while the store takes nothing, or what waited for it can't be read.
    pub(crate) fn alarm(&self) -> Option<String> {
        let place = self.spool.as_ref().map_or_else(|| "in memory".to_owned(), Spool::level);
        let failing = self.failing.alarm(Instant::now(), &place);
        failing.or_else(|| self.spool.as_ref().and_then(Spool::alarm))
    }

    fn send(&self, message: Message) {
        if self.messages.send(message).is_err() {
            tracing::debug!("the recorder has stopped");
        }
    }
}

/// Bytes that wait for the store, over all recordings.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

impl Memory {
    fn new(limit: usize) -> Self {
        Self { waiting: Arc::default(), limit }
    }

    /// Whether so many more may wait; they are counted then.
    fn reserve(&self, bytes: usize) -> bool {
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let fits = before + bytes <= self.limit;
        if !fits {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        }
        self.publish();
        fits
    }

    fn release(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        self.publish();
    }

    fn publish(&self) {
        metrics::gauge!(RECORDING_WAITING).set(self.waiting.load(Ordering::Relaxed) as f64);
    }
}

#[cfg(test)]
mod outage;
#[cfg(test)]
mod tests;
