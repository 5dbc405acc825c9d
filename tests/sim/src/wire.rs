//! Connections between nodes: bytes both ways, in order, late by what the links between two nodes make of it. A link
//! that is cut holds what is sent until it heals; a node that is gone ends its connections.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::future::BoxFuture;
use mangrove_transport::{Dialer, Wire};
use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};
use tonic::transport::server::Connected;

use crate::chronicle::Chronicle;
use crate::time;
use crate::{NodeIndex, STEP};

/// What a connection that was cut off needs to be used again, at most: retransmission backs off.
const RESUMES: u64 = 200;

/// The network between nodes. Clones share it.
#[derive(Clone)]
pub(crate) struct Net(Arc<Mutex<Inner>>);

struct Inner {
    chronicle: Chronicle,
    chance: StdRng,
    links: Links,
    doors: BTreeMap<NodeIndex, mpsc::UnboundedSender<End>>,
    pipes: BTreeMap<u64, Pipe>,
    last: u64,
}

/// One way of all connections between two nodes.
#[derive(Default)]
struct Links {
    cut: BTreeSet<(NodeIndex, NodeIndex)>,
    slow: BTreeMap<(NodeIndex, NodeIndex), u64>,
}

/// One way of one connection.
struct Pipe {
    from: NodeIndex,
    to: NodeIndex,
    arriving: VecDeque<(u64, Bytes)>,
    /// Sent while the link was cut.
    held: VecDeque<Bytes>,
    last_at: u64,
    /// Nothing more comes after this moment.
    ended: Option<u64>,
    waker: Option<Waker>,
}

/// One side of a connection.
pub(crate) struct End {
    net: Net,
    reads: u64,
    writes: u64,
    alarm: Option<Pin<Box<Sleep>>>,
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
            last: 0,
        })))
    }

    /// The node takes connections from now on.
    pub(crate) fn open(&self, node: NodeIndex) -> mpsc::UnboundedReceiver<End> {
        let (door, connections) = mpsc::unbounded_channel();
        self.0.lock().doors.insert(node, door);
        connections
    }

    /// The node takes none any more.
    pub(crate) fn close(&self, node: NodeIndex) {
        self.0.lock().doors.remove(&node);
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
            let at = now + STEP + inner.chance.random_range(0..=RESUMES);
            while let Some(bytes) = pipe.held.pop_front() {
                pipe.push(at, bytes);
            }
            if let Some(ended) = &mut pipe.ended {
                *ended = (*ended).max(at);
            }
            pipe.wake();
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
        let pipe = Pipe {
            from,
            to,
            arriving: VecDeque::new(),
            held: VecDeque::new(),
            last_at: 0,
            ended: None,
            waker: None,
        };
        self.pipes.insert(self.last, pipe);
        self.last
    }

    fn send(&mut self, id: u64, bytes: Bytes) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let (from, to) = self.pipes.get(&id).map(|pipe| (pipe.from, pipe.to)).ok_or_else(gone)?;
        let at = time::now() + self.latency(from, to);
        self.chronicle.note((id, &bytes), || format!("n{from}->n{to} {} bytes", bytes.len()));
        let cut = self.is_cut(from, to);
        let pipe = self.pipes.get_mut(&id).ok_or_else(gone)?;
        if pipe.ended.is_some_and(|ended| ended <= time::now()) {
            return Err(gone());
        }
        if cut || !pipe.held.is_empty() {
            pipe.held.push_back(bytes);
        } else {
            pipe.push(at, bytes);
            pipe.wake();
        }
        Ok(())
    }

    /// One side is gone: the other hears of it.
    fn end(&mut self, reads: u64, writes: u64) {
        let now = time::now();
        if let Some((from, to)) = self.pipes.get(&writes).map(|pipe| (pipe.from, pipe.to)) {
            let at = now + self.latency(from, to);
            if let Some(pipe) = self.pipes.get_mut(&writes) {
                pipe.ended = Some(at.max(pipe.last_at));
                pipe.wake();
            }
        }
        if let Some(pipe) = self.pipes.get_mut(&reads) {
            // Whoever writes there learns it at once enough.
            pipe.ended = Some(now);
            pipe.arriving.clear();
        }
        let over = |pipes: &BTreeMap<u64, Pipe>, id| pipes.get(&id).is_none_or(|pipe| pipe.ended.is_some());
        if over(&self.pipes, reads) {
            self.pipes.remove(&reads);
        }
    }
}

impl Pipe {
    fn push(&mut self, at: u64, bytes: Bytes) {
        self.last_at = self.last_at.max(at);
        self.arriving.push_back((self.last_at, bytes));
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
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
    async fn connect(&self, from: NodeIndex, to: &str) -> io::Result<End> {
        let to = (0..8).find(|node| address(*node) == to).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let (cut, way) = {
            let inner = &mut *self.0.lock();
            let way = inner.latency(from, to) + inner.latency(to, from);
            (inner.is_cut(from, to) || inner.is_cut(to, from), way)
        };
        if cut {
            // Whoever dials has a patience of their own.
            return std::future::pending().await;
        }
        sleep(Duration::from_millis(way)).await;
        let inner = &mut *self.0.lock();
        let (there, back) = (inner.pipe(from, to), inner.pipe(to, from));
        let end = |reads, writes| End { net: self.clone(), reads, writes, alarm: None };
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

impl Drop for End {
    fn drop(&mut self) {
        self.net.0.lock().end(self.reads, self.writes);
    }
}

impl Connected for End {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

/// What there is to read now.
enum Read {
    Bytes(Bytes),
    End,
    /// Something arrives then; or it is not known when.
    Later(Option<u64>),
}

impl Inner {
    fn read(&mut self, id: u64, most: usize, waker: &Waker) -> Read {
        let now = time::now();
        let Some(pipe) = self.pipes.get_mut(&id) else { return Read::End };
        match pipe.arriving.front_mut() {
            Some((at, bytes)) if *at <= now => {
                let taken = bytes.split_to(most.min(bytes.len()));
                if !bytes.has_remaining() {
                    pipe.arriving.pop_front();
                }
                Read::Bytes(taken)
            }
            Some((at, _)) => Read::Later(Some(*at)),
            None => match pipe.ended {
                Some(at) if at <= now && pipe.held.is_empty() => Read::End,
                ended => {
                    pipe.waker = Some(waker.clone());
                    Read::Later(ended.filter(|at| *at > now))
                }
            },
        }
    }
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let read = self.net.0.lock().read(self.reads, buffer.remaining(), cx.waker());
            match read {
                Read::Bytes(bytes) => {
                    buffer.put_slice(&bytes);
                    return Poll::Ready(Ok(()));
                }
                Read::End => return Poll::Ready(Ok(())),
                Read::Later(None) => return Poll::Pending,
                Read::Later(Some(at)) => {
                    let wait = Duration::from_millis(at.saturating_sub(time::now()).max(1));
                    let alarm = self.alarm.insert(Box::pin(sleep(wait)));
                    if alarm.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = self.net.0.lock().send(self.writes, Bytes::copy_from_slice(bytes));
        Poll::Ready(sent.map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
