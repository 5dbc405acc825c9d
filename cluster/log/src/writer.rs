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
use tokio::sync::{mpsc, oneshot};

use crate::change::Change;
use crate::disk::Disk;
use crate::failed::Failed;
use crate::medium::Medium;
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
    pub(crate) changes: Vec<Change>,
    pub(crate) done: Done,
}

/// The queue's end that groups hold.
#[derive(Debug, Clone)]
pub(crate) enum Queue {
    /// To the thread that writes to the disk.
    Thread(Sender<Request>),
    /// To the task that writes to a medium.
    Task(mpsc::UnboundedSender<Request>),
}

impl Queue {
    /// Lets the writer end once it has written all that was queued before; what comes later is refused.
    pub(crate) fn stop(&self) {
        self.send(Request { changes: Vec::new(), done: Done::Stop });
    }

    /// Queues a request; a writer that has ended answers with an error.
    pub(crate) fn send(&self, request: Request) {
        let sent = match self {
            Self::Thread(queue) => queue.send(request).map_err(|refused| refused.0),
            Self::Task(queue) => queue.send(request).map_err(|refused| refused.0),
        };
        if let Err(refused) = sent {
            finish(refused.done, Err(io::Error::other("the log's writer has stopped")));
        }
    }

    /// Queues operations and waits until they are on disk.
    pub(crate) async fn write(&self, changes: Vec<Change>) -> io::Result<()> {
        let (answer, waiting) = oneshot::channel();
        self.send(Request { changes, done: Done::Answer(answer) });
        waiting.await.unwrap_or_else(|_| Err(io::Error::other("the log's writer has stopped")))
    }
}

/// Starts the thread. `failed` is raised at the first failed batch.
pub(crate) fn start(disk: Box<dyn Disk>, failed: Failed) -> io::Result<(Queue, JoinHandle<()>)> {
    let (sender, receiver) = channel();
    let writer = Writer { failed, lazy: Vec::new(), stopping: false };
    let thread =
        std::thread::Builder::new().name("raft-log".into()).spawn(move || writer.run(disk, &receiver))?;
    Ok((Queue::Thread(sender), thread))
}

/// Starts the task, which does with a medium what the thread does with a disk.
pub(crate) fn start_on(medium: Arc<dyn Medium>, failed: Failed) -> Queue {
    let (sender, receiver) = mpsc::unbounded_channel();
    let writer = Writer { failed, lazy: Vec::new(), stopping: false };
    tokio::spawn(writer.run_on(medium, receiver));
    Queue::Task(sender)
}

struct Writer {
    failed: Failed,
    lazy: Vec<Change>,
    stopping: bool,
}

impl Writer {
    fn run(mut self, mut disk: Box<dyn Disk>, queue: &Receiver<Request>) {
        while !self.stopping {
            let (changes, waiting) = match queue.recv_timeout(LAZY) {
                Ok(first) => self.gather(first, || queue.try_recv().ok()),
                Err(RecvTimeoutError::Timeout) => self.overdue(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if !changes.is_empty() || !waiting.is_empty() {
                let result = self.failed.check().and_then(|()| disk.commit(changes));
                self.settle(waiting, &result);
            }
        }
        let (changes, waiting) = self.overdue();
        if !changes.is_empty() {
            let result = self.failed.check().and_then(|()| disk.commit(changes));
            self.settle(waiting, &result);
        }
    }

    async fn run_on(mut self, medium: Arc<dyn Medium>, mut queue: mpsc::UnboundedReceiver<Request>) {
        while !self.stopping {
            let (changes, waiting) = match tokio::time::timeout(LAZY, queue.recv()).await {
                Ok(Some(first)) => self.gather(first, || queue.try_recv().ok()),
                Err(_) => self.overdue(),
                Ok(None) => return,
            };
            if !changes.is_empty() || !waiting.is_empty() {
                let result = match self.failed.check() {
                    Ok(()) => commit_to(&*medium, changes).await,
                    unfit => unfit,
                };
                self.settle(waiting, &result);
            }
        }
    }

    /// One batch of all that waits, and who waits for it. Nothing, if nobody does.
    fn gather(
        &mut self,
        first: Request,
        mut more: impl FnMut() -> Option<Request>,
    ) -> (Vec<Change>, Vec<Done>) {
        let mut changes = Vec::new();
        let mut waiting = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(request) = next {
            bytes += request.changes.iter().map(Change::size).sum::<usize>();
            match request.done {
                Done::Nobody => self.lazy.extend(request.changes),
                Done::Stop => self.stopping = true,
                done => {
                    changes.extend(request.changes);
                    waiting.push(done);
                }
            }
            let room = bytes < BATCH_BYTES && !self.stopping;
            next = if room { more() } else { None };
        }
        if !waiting.is_empty() {
            changes.append(&mut self.lazy);
        }
        (changes, waiting)
    }

    /// Lazy operations only state positions of what was queued before them, so they may be written after it. A failure
    /// is made visible by `settle`, and nobody waits for these.
    fn overdue(&mut self) -> (Vec<Change>, Vec<Done>) {
        (std::mem::take(&mut self.lazy), Vec::new())
    }

    fn settle(&self, waiting: Vec<Done>, result: &io::Result<()>) {
        if let Err(error) = result {
            self.failed.raise(error);
        }
        waiting.into_iter().for_each(|done| finish(done, repeat(result)));
    }
}

async fn commit_to(medium: &dyn Medium, changes: Vec<Change>) -> io::Result<()> {
    let mut ops = Vec::new();
    changes.into_iter().try_for_each(|change| change.into_ops(&mut ops))?;
    medium.commit(ops).await
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
