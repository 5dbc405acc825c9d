//! Messages between nodes and what is outside of them: lost, doubled and late by the weather of the node's link.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mangrove_history::Batch;
use mangrove_proto::{
    common::Ack,
    control::AgentCommand,
    edge::{EdgeCommands, EdgeEvents, EdgeExecuted},
    live::Live,
    media::{Holdings, HoldingsRequest, MediaCommands, MediaEvents, MediaExecuted},
    service::Error,
};
use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::{NodeIndex, STEP, time};

/// An answer, to be taken at its time. None where the question was a copy that nobody waits for.
pub(crate) type Reply<T> = Option<oneshot::Sender<(u64, T)>>;

/// From a node to the outside.
pub(crate) enum Letter {
    /// The answer to the errand of this number.
    Answer(u64, Answer),
    Edge {
        node: NodeIndex,
        edge: usize,
        commands: EdgeCommands,
        reply: Reply<EdgeExecuted>,
    },
    Media {
        node: NodeIndex,
        media: usize,
        commands: MediaCommands,
        reply: Reply<MediaExecuted>,
    },
    Hold {
        node: NodeIndex,
        media: usize,
        request: HoldingsRequest,
        reply: Reply<Holdings>,
    },
    Write {
        node: NodeIndex,
        batch: Batch,
        reply: Reply<bool>,
    },
    /// The node can't go on: its disk failed, or a part of it ended.
    Ended {
        node: NodeIndex,
        why: String,
    },
    /// The node's roles run.
    Up {
        node: NodeIndex,
    },
}

/// From the outside to a node.
pub(crate) struct Errand {
    pub(crate) at: u64,
    pub(crate) number: u64,
    pub(crate) ask: Ask,
}

/// An edge or a media node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    Edge(usize),
    Media(usize),
}

/// What is asked of a node.
#[derive(Clone)]
pub(crate) enum Ask {
    Edge(EdgeEvents),
    Media(MediaEvents),
    Wish(AgentCommand),
    Live(&'static str),
    /// An edge or a media node has begun anew.
    Began(Party),
}

/// What a node answers.
pub(crate) enum Answer {
    Ack(Result<Ack, Error>),
    Wish(Result<(), Error>),
    Live(Result<Box<Live>, Error>),
    /// Nothing to say.
    Noted,
}

/// How a node's link to the outside is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    /// Of a hundred messages so many are lost.
    pub(crate) loss: u32,
    /// Of a hundred so many come twice.
    pub(crate) twice: u32,
    /// Each may be so much later.
    pub(crate) late: u64,
}

/// A letter on its way.
pub(crate) struct Sent {
    pub(crate) sent: u64,
    pub(crate) at: u64,
    pub(crate) letter: Letter,
}

/// The way of letters, shared by all nodes.
#[derive(Clone)]
pub(crate) struct Post(Arc<Mutex<Inner>>);

struct Inner {
    letters: Vec<Sent>,
    weather: BTreeMap<NodeIndex, Weather>,
    chance: StdRng,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Post")
    }
}

impl Post {
    pub(crate) fn new(seed: u64) -> Self {
        let chance = StdRng::seed_from_u64(seed);
        Self(Arc::new(Mutex::new(Inner { letters: Vec::new(), weather: BTreeMap::new(), chance })))
    }

    pub(crate) fn set(&self, node: NodeIndex, weather: Weather) {
        self.0.lock().weather.insert(node, weather);
    }

    /// When a message between this node and the outside arrives; none if it does not.
    pub(crate) fn arrival(&self, node: NodeIndex) -> Option<u64> {
        self.0.lock().arrival(node)
    }

    /// Whether a message is doubled.
    pub(crate) fn doubled(&self, node: NodeIndex) -> bool {
        let inner = &mut *self.0.lock();
        let twice = inner.weather(node).twice;
        inner.chance.random_range(0..100) < twice
    }

    /// Sends a letter that may get lost.
    pub(crate) fn send(&self, from: NodeIndex, letter: Letter) {
        let inner = &mut *self.0.lock();
        if let Some(at) = inner.arrival(from) {
            inner.letters.push(Sent { sent: time::now(), at, letter });
        }
    }

    /// Tells the simulation itself something; that is never lost.
    pub(crate) fn tell(&self, letter: Letter) {
        let sent = time::now();
        self.0.lock().letters.push(Sent { sent, at: sent + STEP, letter });
    }

    /// All letters sent since the last time.
    pub(crate) fn collect(&self) -> Vec<Sent> {
        std::mem::take(&mut self.0.lock().letters)
    }
}

impl Inner {
    fn weather(&self, node: NodeIndex) -> Weather {
        self.weather.get(&node).copied().unwrap_or_default()
    }

    fn arrival(&mut self, node: NodeIndex) -> Option<u64> {
        let Weather { loss, late, .. } = self.weather(node);
        if self.chance.random_range(0..100) < loss {
            return None;
        }
        let late = if late > 0 { self.chance.random_range(0..=late) } else { 0 };
        Some(time::now() + STEP + self.chance.random_range(0..=STEP) + late)
    }
}

/// Waits for the answer until it is due; for ever if it got lost, as one does in a network.
pub(crate) async fn arrived<T>(answer: oneshot::Receiver<(u64, T)>) -> T {
    match answer.await {
        Ok((at, value)) => {
            sleep(Duration::from_millis(at.saturating_sub(time::now()))).await;
            value
        }
        Err(_) => std::future::pending().await,
    }
}
