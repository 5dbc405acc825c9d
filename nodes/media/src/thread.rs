//! A media thread. It owns its endpoints' sockets and everything about them; nothing is shared and nothing is locked
//! on a packet's way, and no memory is allocated on it: what makes one encoding into another is made when two meet.
//!
//! Sockets are many (each endpoint has its own ports) and each has one packet every 20 ms, so batches are formed
//! across sockets, not within one: a busy thread sleeps a millisecond, then takes one packet of each socket that is
//! ready. Measured for one thread and 500 sessions, `recvmmsg` of one packet costs more than `recvfrom`, connected
//! sockets cost less than others, and gathering a millisecond saves a quarter.

mod announcer;
mod browser;
mod command;
mod conference;
mod convert;
mod ear;
mod echo;
mod endpoint;
mod fall;
mod formats;
mod guard;
mod hall;
mod handshake;
mod housekeeping;
mod hush;
mod keys;
mod play;
mod reconcile;
mod relay;
mod reports;
mod slots;
mod tap;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod udptl;
mod voice;
mod worker;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    time::Duration,
};

pub(crate) use command::{BrowserPlan, Command, EndpointPlan, HearsPlan, Paused, Place, Plan, RecordingPlan};
pub(crate) use fall::Fallen;
pub(crate) use formats::{Codec, Event, Formats};
pub(crate) use guard::Keys;
pub(crate) use tap::{Batch, Frame};

use tokio::sync::mpsc::UnboundedSender;

use crate::{certificate::Certificate, outbox::Outbox, recorder::Recorder, sys::Bell};

/// What all threads share.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) recorder: Recorder,
    /// What browsers are shown.
    pub(crate) certificate: Certificate,
    /// How far RTP may be silent.
    pub(crate) silence: Duration,
    pub(crate) gather: Duration,
    /// Hears what threads fall over.
    pub(crate) fallen: UnboundedSender<Fallen>,
}

/// A running media thread.
#[derive(Debug)]
pub(crate) struct Thread {
    commands: mpsc::Sender<Command>,
    bell: Arc<Bell>,
    joined: Option<std::thread::JoinHandle<Vec<Place>>>,
}

impl Thread {
    pub(crate) fn start(number: usize, surroundings: Surroundings) -> io::Result<Self> {
        let (commands, orders) = mpsc::channel();
        let bell = Arc::new(Bell::new()?);
        let fallen = surroundings.fallen.clone();
        let worker = worker::Worker::new(bell.clone(), orders, surroundings)?;
        let joined = std::thread::Builder::new().name(format!("media-{number}")).spawn(move || {
            let places = catch_unwind(AssertUnwindSafe(|| worker.run())).ok().flatten();
            places.unwrap_or_else(|| {
                // Nobody hears it when the node stops.
                let _ = fallen.send(Fallen::Thread);
                Vec::new()
            })
        })?;
        Ok(Self { commands, bell, joined: Some(joined) })
    }

    /// Commands are carried out in order, soon.
    pub(crate) fn send(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            self.bell.ring();
        }
    }
}

impl Thread {
    /// Closes everything, within a tick; how far each play was.
    pub(crate) fn end(&mut self) -> Vec<Place> {
        self.send(Command::End);
        let Some(thread) = self.joined.take() else { return Vec::new() };
        // What it falls over it has told.
        thread.join().unwrap_or_default()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.end();
    }
}
