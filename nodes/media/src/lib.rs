//! The media role: RTP between callers, agents and sounds, and recordings. Control says what a call's media should be
//! ([`mangrove_proto::media::SetSession`], the whole wanted state); this node makes it so and reports what far ends do.
//! It decides nothing about calls and knows nothing of SIP.
//!
//! Three kinds of work are kept apart. Media threads move packets: each owns its sockets, no locks, no memory
//! allocated on a packet's way. The recorder computes and stores recordings, so that a slow disk never delays a
//! packet. Everything else (commands, prompts, events) runs on the async runtime.

mod certificate;
mod clock;
mod gate;
mod handover;
mod options;
mod outbox;
mod ports;
mod prompts;
mod recorder;
mod sessions;
mod sys;
#[cfg(test)]
mod testing;
mod thread;

pub mod grpc;
pub mod metrics;

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use mangrove_proto::{common, media, service};
use object_store::ObjectStore;
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
};

use certificate::Certificate;
use gate::Gate;
use outbox::Outbox;
use prompts::Prompts;
use recorder::Recorder;
use sessions::{Sessions, Sounds};
use thread::{Fallen, Surroundings, Thread};

pub use options::Options;
pub use recorder::Spool;
pub use sessions::{Admission, Fences};

/// Why a media node does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a media thread can't start: {0}")]
    Thread(#[source] std::io::Error),
    #[error("a media node must be started inside a tokio runtime")]
    Runtime,
    #[error("no certificate for browsers can be made: {0}")]
    Certificate(String),
}

/// A running media node. Clones are the same node.
#[derive(Debug, Clone)]
pub struct Media {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    sessions: Mutex<Sessions>,
    prompts: Arc<Prompts>,
    outbox: Arc<Outbox>,
    recorder: Recorder,
    recorder_task: AbortHandle,
    gate: Gate,
    failed: watch::Sender<bool>,
}

impl Media {
    /// Starts threads and recorder. Needs a tokio runtime, in which events are delivered and sounds are read.
    pub fn start(
        options: Options,
        control: Arc<dyn service::Control>,
        objects: Arc<dyn ObjectStore>,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| Error::Runtime)?;
        if let Err(error) = sys::raise_open_files() {
            tracing::warn!(%error, "the limit of open files could not be raised, it bounds the number of calls");
        }
        let writer = format!("{}/{}", options.node, options.run);
        let sender = common::Sender { node: options.node.clone(), run: options.run };
        let gate = Gate::new(!options.joins);
        let outbox = Outbox::new(sender, control, runtime, gate.clone());
        let (recorder, recorder_task) = Recorder::start(recorder::Settings {
            writer,
            parts: options.parts.clone().unwrap_or_else(|| objects.clone()),
            objects: objects.clone(),
            outbox: outbox.clone(),
            gate: gate.clone(),
            segment: options.segment,
            memory: options.recording_memory,
            spool: options.spool.clone(),
            failing: recorder::Failing::default(),
        });
        let certificate = Certificate::generate().map_err(Error::Certificate)?;
        let (fallen, falls) = mpsc::unbounded_channel();
        let surroundings = Surroundings {
            outbox: outbox.clone(),
            recorder: recorder.clone(),
            certificate: certificate.clone(),
            silence: options.silence,
            gather: options.gather,
            fallen,
        };
        let threads = (0..options.thread_count())
            .map(|number| Thread::start(number, surroundings.clone()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(Error::Thread)?;
        let prompts = Prompts::new(options.prompts.clone(), objects);
        let reports = (outbox.clone(), recorder.clone());
        let sessions = Mutex::new(Sessions::new(&options, &certificate, threads, reports));
        let failed = watch::channel(false).0;
        let inner = Arc::new(Inner { sessions, prompts, outbox, recorder, recorder_task, gate, failed });
        tokio::spawn(heed(Arc::downgrade(&inner), falls));
        Ok(Self { inner })
    }

    /// Turns true when a media thread has ended though nobody told it to: its calls are silent from then on, so whoever
    /// runs this node should end it, for another process to go on at its addresses.
    pub fn watch_failed(&self) -> watch::Receiver<bool> {
        self.inner.failed.subscribe()
    }

    /// Endpoints that are open: the measure for "least loaded".
    pub fn load(&self) -> usize {
        self.inner.sessions.lock().load()
    }

    /// What an operator should see to: recordings that the object store does not take. Calls go on meanwhile.
    pub fn alarm(&self) -> Option<String> {
        self.inner.recorder.alarm()
    }

    /// Closes all sockets and writes the open parts of recordings; the next run goes on with them. Nothing is
    /// reported any more.
    pub async fn stop(&self) {
        let threads = self.inner.sessions.lock().end();
        // Threads end within a tick.
        drop(threads);
        self.inner.recorder.suspend().await;
        self.inner.recorder_task.abort();
        self.inner.outbox.stop();
    }

    /// Carries out one admitted command, at once when its sounds are at hand. Otherwise a session that is new (to
    /// this run, too: after a restart all are) opens its ports and relays first, and its sounds follow.
    fn carry_out(&self, group: u64, tenant: String, set: media::SetSession) {
        let sounds = sessions::sounds(&set, |key| self.inner.prompts.kept(&tenant, key));
        let mut sessions = self.inner.sessions.lock();
        if sessions.join(group, &tenant, &set) {
            return self.read_ahead(&tenant, &set);
        }
        match sounds {
            Some(sounds) => sessions.carry_out(group, &tenant, &set, &sounds),
            None => {
                sessions.prepare(group, &tenant, &set);
                let media = self.clone();
                tokio::spawn(async move { media.carry_out_later(group, tenant, set).await });
            }
        }
    }

    /// So that they are at hand when they may be played.
    fn read_ahead(&self, tenant: &str, set: &media::SetSession) {
        let (media, tenant) = (self.clone(), tenant.to_owned());
        let keys: Vec<_> = sessions::keys(set).into_iter().map(str::to_owned).collect();
        tokio::spawn(async move {
            for key in keys {
                // What can't be read is told when the session is carried out.
                let _ = media.inner.prompts.load(&tenant, &key).await;
            }
        });
    }

    /// Reads the sounds first. A newer version that overtakes this one wins.
    async fn carry_out_later(&self, group: u64, tenant: String, set: media::SetSession) {
        let (mut sounds, mut missing) = (Sounds::new(), None);
        for key in sessions::keys(&set) {
            match self.inner.prompts.load(&tenant, key).await {
                Ok(sound) => drop(sounds.insert(key.to_owned(), sound)),
                Err(error) => missing = missing.or_else(|| Some(error.to_string())),
            }
        }
        self.inner.sessions.lock().complete(group, &tenant, &set, &sounds, missing);
    }
}

/// Until the node's threads are gone.
async fn heed(inner: Weak<Inner>, mut falls: mpsc::UnboundedReceiver<Fallen>) {
    while let Some(fallen) = falls.recv().await {
        let Some(inner) = inner.upgrade() else { return };
        match fallen {
            Fallen::Session(number) => inner.sessions.lock().fell(number),
            Fallen::Thread => drop(inner.failed.send_replace(true)),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.outbox.stop();
    }
}

#[async_trait]
impl service::Media for Media {
    async fn execute(&self, commands: media::MediaCommands) -> Result<media::MediaExecuted, service::Error> {
        let mut refused = Vec::new();
        for command in commands.commands {
            let Some(set) = command.set else { continue };
            let fence = command.fence.unwrap_or_default();
            let admission = self.inner.sessions.lock().admit(commands.group, &command.tenant, fence, &set);
            let why = match admission {
                Admission::Taken => {
                    self.carry_out(commands.group, command.tenant, set);
                    continue;
                }
                Admission::Late => "newer",
                Admission::Deposed => "fence",
            };
            ::metrics::counter!(metrics::LATE_COMMANDS, "reason" => why).increment(1);
            refused.push(command.effect);
        }
        Ok(media::MediaExecuted { refused })
    }

    async fn hold(&self, request: media::HoldingsRequest) -> Result<media::Holdings, service::Error> {
        Ok(media::Holdings { sessions: self.inner.sessions.lock().holdings(request.group) })
    }
}
