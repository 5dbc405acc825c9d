//! The one thread that writes for all groups: takes all that waits, one batch, one sync, then tells everyone.
//!
//! After a failed batch the disk's content is unknown, so the writer refuses everything from then on, whatever later
//! writes would have said: only a restart, which reads the disk again, may go on.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use openraft::storage::IOFlushed;
use tokio::sync::{oneshot, watch};

use crate::disk::{Disk, Op};
use crate::shared::Shared;
use crate::types::TypeConfig;

const BATCH_BYTES: usize = 8 << 20;
// A commit position that nothing else carries to the disk is written after this long.
const LAZY: Duration = Duration::from_secs(1);

/// Whom to tell once the operations are safe.
pub(crate) enum Done {
    /// Appended entries up to this index.
    Flushed {
        shared: Arc<Shared>,
        upto: u64,
        callback: IOFlushed<TypeConfig>,
    },
    Answer(oneshot::Sender<io::Result<()>>),
    /// Nobody waits: it travels with the next batch that somebody waits for.
    Nobody,
    /// The store is closing.
    Stop,
}

pub(crate) struct Request {
    pub(crate) ops: Vec<Op>,
    pub(crate) done: Done,
}

/// The queue's end that groups hold.
#[derive(Debug, Clone)]
pub(crate) struct Queue(Sender<Request>);

impl Queue {
    /// Lets the writer end once it has written all that was queued before; what comes later is refused.
    pub(crate) fn stop(&self) {
        self.send(Request { ops: Vec::new(), done: Done::Stop });
    }

    /// Queues a request; a writer that has ended answers with an error.
    pub(crate) fn send(&self, request: Request) {
        if let Err(refused) = self.0.send(request) {
            finish(refused.0.done, Err(io::Error::other("the log's writer has stopped")));
        }
    }

    /// Queues operations and waits until they are on disk.
    pub(crate) async fn write(&self, ops: Vec<Op>) -> io::Result<()> {
        let (answer, waiting) = oneshot::channel();
        self.send(Request { ops, done: Done::Answer(answer) });
        waiting.await.unwrap_or_else(|_| Err(io::Error::other("the log's writer has stopped")))
    }
}

/// Starts the thread. `failure` turns `Some` at the first failed batch and stays so.
pub(crate) fn start(
    disk: Box<dyn Disk>,
    failure: watch::Sender<Option<String>>,
) -> io::Result<(Queue, JoinHandle<()>)> {
    let (sender, receiver) = channel();
    let writer = Writer { disk, receiver, failure, lazy: Vec::new(), stopping: false };
    let thread = std::thread::Builder::new().name("raft-log".into()).spawn(move || writer.run())?;
    Ok((Queue(sender), thread))
}

struct Writer {
    disk: Box<dyn Disk>,
    receiver: Receiver<Request>,
    failure: watch::Sender<Option<String>>,
    lazy: Vec<Op>,
    stopping: bool,
}

impl Writer {
    fn run(mut self) {
        while !self.stopping {
            match self.receiver.recv_timeout(LAZY) {
                Ok(first) => self.write_all_waiting(first),
                Err(RecvTimeoutError::Timeout) => self.write_lazy(),
                Err(RecvTimeoutError::Disconnected) => self.stopping = true,
            }
        }
        self.write_lazy();
    }

    fn write_all_waiting(&mut self, first: Request) {
        let mut ops = Vec::new();
        let mut waiting = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(request) = next {
            bytes += request.ops.iter().map(Op::size).sum::<usize>();
            match request.done {
                Done::Nobody => self.lazy.extend(request.ops),
                Done::Stop => self.stopping = true,
                done => {
                    ops.extend(request.ops);
                    waiting.push(done);
                }
            }
            let more = bytes < BATCH_BYTES && !self.stopping;
            next = if more { self.receiver.try_recv().ok() } else { None };
        }
        if !waiting.is_empty() {
            ops.append(&mut self.lazy);
            let result = self.commit(ops);
            waiting.into_iter().for_each(|done| finish(done, repeat(&result)));
        }
    }

    /// Lazy operations only state positions of what was queued before them, so they may be written after it.
    fn write_lazy(&mut self) {
        if !self.lazy.is_empty() {
            let ops = std::mem::take(&mut self.lazy);
            // A failure has been made visible by `commit`, and nobody waits for these.
            let _ = self.commit(ops);
        }
    }

    fn commit(&mut self, ops: Vec<Op>) -> io::Result<()> {
        if let Some(reason) = self.failure.borrow().as_ref() {
            return Err(io::Error::other(format!("the log failed earlier: {reason}")));
        }
        let result = self.disk.commit(ops);
        if let Err(error) = &result {
            tracing::error!(%error, "the Raft log cannot be written; this node acknowledges nothing more");
            self.failure.send_replace(Some(error.to_string()));
        }
        result
    }
}

impl Op {
    fn size(&self) -> usize {
        match self {
            Op::Put { key, value, .. } => key.len() + value.len(),
            Op::Remove { key, .. } => key.len(),
        }
    }
}

fn finish(done: Done, result: io::Result<()>) {
    match done {
        Done::Flushed { shared, upto, callback } => {
            if result.is_ok() {
                shared.lock().on_disk = Some(upto);
            }
            callback.io_completed(result);
        }
        Done::Answer(answer) => {
            // The asker may have been stopped meanwhile.
            let _ = answer.send(result);
        }
        Done::Nobody | Done::Stop => {}
    }
}

fn repeat(result: &io::Result<()>) -> io::Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }
}
