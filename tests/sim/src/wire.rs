//! Connections between nodes: bytes both ways, in order, late by what the links between two nodes make of it. A link
//! that is cut holds what is sent until it heals. A process that is killed ends its connections; a machine without
//! power says nothing, and ends those that it had when it is back.

mod end;
mod pipe;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use mangrove_transport::{Dialer, Wire};
use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::chronicle::Chronicle;
use crate::{NODES, NodeIndex, STEP, time};
use pipe::Pipe;

pub(crate) use end::End;

/// What a connection that was cut off needs to be used again, at most: retransmission backs off.
const RESUMES: u64 = 200;

/// When a connection that nobody answers is asked for again; then after twice as long, and so on (RFC 6298 section 2).
const SYN_AGAIN: u64 = 1_000;

/// The network between nodes. Clones share it.
#[derive(Clone)]
pub(crate) struct Net(Arc<Mutex<Inner>>);

struct Inner {
    chronicle: Chronicle,
    chance: StdRng,
    links: Links,
    doors: BTreeMap<NodeIndex, mpsc::UnboundedSender<End>>,
    pipes: BTreeMap<u64, Pipe>,
    /// Machines without power.
    dark: BTreeSet<NodeIndex>,
    last: u64,
}

/// One way of all connections between two nodes.
#[derive(Default)]
struct Links {
    cut: BTreeSet<(NodeIndex, NodeIndex)>,
    slow: BTreeMap<(NodeIndex, NodeIndex), u64>,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Net")
    }
}

/// Where a node's listener is.
pub(crate) fn address(node: NodeIndex) -> String {
    format!("10.0.0.{}:7400", node + 1)
}

impl Net {
    pub(crate) fn new(seed: u64, chronicle: Chronicle) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            chronicle,
            chance: StdRng::seed_from_u64(seed),
            links: Links::default(),
            doors: BTreeMap::new(),
            pipes: BTreeMap::new(),
            dark: BTreeSet::new(),
            last: 0,
        })))
    }

    /// The node takes connections from now on.
    pub(crate) fn open(&self, node: NodeIndex) -> mpsc::UnboundedReceiver<End> {
        let (door, connections) = mpsc::unbounded_channel();
        self.0.lock().doors.insert(node, door);
        connections
    }

    /// The node takes none any more. Its connections end when its process is dropped; without power nobody is told.
    pub(crate) fn close(&self, node: NodeIndex, dark: bool) {
        let inner = &mut *self.0.lock();
        inner.doors.remove(&node);
        if dark {
            inner.dark.insert(node);
        }
    }

    /// The machine has power again: whoever still uses a connection to it learns that there is none.
    pub(crate) fn light(&self, node: NodeIndex) {
        let inner = &mut *self.0.lock();
        if inner.dark.remove(&node) {
            let at = time::now() + STEP;
            let theirs = |pipe: &&mut Pipe| pipe.from == node || pipe.to == node;
            inner.pipes.values_mut().filter(theirs).for_each(|pipe| pipe.is_unknown(at));
        }
    }

    /// How the node `from` reaches others.
    pub(crate) fn dialer(&self, from: NodeIndex) -> Arc<dyn Dialer> {
        Arc::new(Caller { net: self.clone(), from })
    }

    /// Nothing gets from one node to the other any more, until `heal`.
    pub(crate) fn cut(&self, from: NodeIndex, to: NodeIndex) {
        self.0.lock().links.cut.insert((from, to));
    }

    /// Each byte takes so much longer, at most.
    pub(crate) fn slow(&self, from: NodeIndex, to: NodeIndex, ms: u64) {
        self.0.lock().links.slow.insert((from, to), ms);
    }

    /// All is well from one node to the other; what was held goes on.
    pub(crate) fn heal(&self, from: NodeIndex, to: NodeIndex) {
        let inner = &mut *self.0.lock();
        inner.links.cut.remove(&(from, to));
        inner.links.slow.remove(&(from, to));
        let now = time::now();
        for pipe in inner.pipes.values_mut().filter(|pipe| (pipe.from, pipe.to) == (from, to)) {
            pipe.resume(now + STEP + inner.chance.random_range(0..=RESUMES));
        }
    }
}

impl Inner {
    fn latency(&mut self, from: NodeIndex, to: NodeIndex) -> u64 {
        let slow = self.links.slow.get(&(from, to)).copied().unwrap_or(0);
        STEP + self.chance.random_range(0..=STEP) + self.chance.random_range(0..=slow)
    }

    fn is_cut(&self, from: NodeIndex, to: NodeIndex) -> bool {
        self.links.cut.contains(&(from, to))
    }

    fn pipe(&mut self, from: NodeIndex, to: NodeIndex) -> u64 {
        self.last += 1;
        self.pipes.insert(self.last, Pipe::new(from, to));
        self.last
    }

    fn send(&mut self, id: u64, bytes: Bytes) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let (from, to) = self.pipes.get(&id).map(|pipe| (pipe.from, pipe.to)).ok_or_else(gone)?;
        let at = time::now() + self.latency(from, to);
        self.chronicle.count((id, &bytes));
        let cut = self.is_cut(from, to);
        let pipe = self.pipes.get_mut(&id).filter(|pipe| !pipe.is_broken(time::now())).ok_or_else(gone)?;
        pipe.send((!cut).then_some(at), bytes);
        Ok(())
    }

    /// One side is gone: the other hears of it, unless the power went with it.
    fn end(&mut self, reads: u64, writes: u64) {
        let Some((from, to)) = self.pipes.get(&writes).map(|pipe| (pipe.from, pipe.to)) else { return };
        if self.dark.contains(&from) {
            return;
        }
        let at = time::now() + self.latency(from, to);
        let at = (!self.is_cut(from, to)).then_some(at);
        for (id, writer) in [(writes, true), (reads, false)] {
            let over = self.pipes.get_mut(&id).is_some_and(|pipe| pipe.leave(writer, at));
            if over {
                self.pipes.remove(&id);
            }
        }
    }
}

#[derive(Debug)]
struct Caller {
    net: Net,
    from: NodeIndex,
}

impl Dialer for Caller {
    fn dial(&self, to: String) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        let (net, from) = (self.net.clone(), self.from);
        Box::pin(async move { net.connect(from, &to).await.map(|end| Box::new(end) as Box<dyn Wire>) })
    }
}

impl Net {
    fn is_reached(&self, from: NodeIndex, to: NodeIndex) -> bool {
        let inner = &*self.0.lock();
        !inner.is_cut(from, to) && !inner.is_cut(to, from) && !inner.dark.contains(&to)
    }

    /// Without an answer it is asked again, as TCP does. Whoever dials has a patience of their own.
    async fn connect(&self, from: NodeIndex, to: &str) -> io::Result<End> {
        let to = (0..NODES).find(|node| address(*node) == to).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut again = SYN_AGAIN;
        while !self.is_reached(from, to) {
            sleep(Duration::from_millis(again)).await;
            again *= 2;
        }
        let way = {
            let inner = &mut *self.0.lock();
            inner.latency(from, to) + inner.latency(to, from)
        };
        sleep(Duration::from_millis(way)).await;
        let inner = &mut *self.0.lock();
        let (there, back) = (inner.pipe(from, to), inner.pipe(to, from));
        let end = |reads, writes| End::new(self.clone(), reads, writes);
        let door = inner.doors.get(&to).ok_or(io::ErrorKind::ConnectionRefused)?;
        let taken = door.send(end(there, back));
        taken.map_err(|refused| {
            // Its drop would ask for the lock that is held here.
            std::mem::forget(refused);
            io::Error::from(io::ErrorKind::ConnectionRefused)
        })?;
        Ok(end(back, there))
    }
}
