//! A SIP user agent over one UDP socket, for many calls at once: the product's own transaction layer and legs, driven
//! from the other side. Each leg has a task of its own; here are the socket, the timers and what is sent.

mod inbound;
mod line;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use mangrove_sip::{
    Destination, Local, Message, Method, Replacing, Seed, Source, Transport,
    transaction::{Input, Layer, Output, Timers},
    ua::{self, Ctx, Fact, Failure, Leg, Outgoing},
};
use parking_lot::Mutex;
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot},
};

pub(crate) use line::Line;

/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(10);

/// A user agent, cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    socket: UdpSocket,
    /// The same socket, sent through without asking the runtime whether it may: a fresh one says no.
    sender: std::net::UdpSocket,
    local: SocketAddr,
    user_agent: &'static str,
    domain: String,
    origin: Instant,
    book: Mutex<Book>,
    invites: mpsc::UnboundedSender<Invite>,
}

#[derive(Debug)]
struct Book {
    layer: Layer,
    legs: BTreeMap<u64, Seat>,
    due: BTreeSet<(u64, u64)>,
    /// Which leg, or who waits for the answer, by branch.
    branches: BTreeMap<String, Owner>,
    next: u64,
    seed: Seed,
}

#[derive(Debug)]
enum Owner {
    Leg(u64),
    Waits(oneshot::Sender<Message>),
}

#[derive(Debug)]
struct Seat {
    leg: Leg,
    local: Local,
    due: Option<u64>,
    branches: Vec<String>,
    facts: mpsc::UnboundedSender<Fact>,
}

/// A call that comes in: answer it through its `Line`.
#[derive(Debug)]
pub(crate) struct Invite {
    pub message: Message,
    pub line: Line,
}

impl Endpoint {
    /// Binds the socket and starts its tasks; calls that come in go to the receiver.
    pub(crate) async fn start(
        address: SocketAddr,
        user_agent: &'static str,
        domain: &str,
    ) -> std::io::Result<(Self, mpsc::UnboundedReceiver<Invite>)> {
        let sender = std::net::UdpSocket::bind(address)?;
        sender.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(sender.try_clone()?)?;
        let (invites, incoming) = mpsc::unbounded_channel();
        let book = Book {
            layer: Layer::new(Timers::default()),
            legs: BTreeMap::new(),
            due: BTreeSet::new(),
            branches: BTreeMap::new(),
            next: 0,
            seed: Seed::new(rand::random()),
        };
        let inner = Inner {
            local: socket.local_addr()?,
            socket,
            sender,
            user_agent,
            domain: domain.to_owned(),
            origin: Instant::now(),
            book: Mutex::new(book),
            invites,
        };
        let endpoint = Self { inner: Arc::new(inner) };
        tokio::spawn(receive(endpoint.clone()));
        tokio::spawn(tick(endpoint.clone()));
        Ok((endpoint, incoming))
    }

    /// The address in our Contact.
    pub(crate) fn local(&self) -> SocketAddr {
        self.inner.local
    }

    /// Sends the INVITE.
    pub(crate) fn call(&self, call: ua::Call) -> Line {
        self.with(|book, now| {
            let (number, local) = self.seat(book);
            let (leg, outputs) = Leg::outgoing(call, &mut Ctx { now, seed: &mut book.seed, local: &local });
            self.sit(book, number, leg, local, outputs, now)
        })
    }

    /// Sends a request outside of calls and waits for its final answer; none when it timed out.
    pub(crate) async fn request(&self, message: Message, to: SocketAddr) -> Option<Message> {
        let (answer, waits) = oneshot::channel();
        self.with(|book, now| {
            let branch = format!("{}{}", mangrove_sip::MAGIC, book.seed.token());
            book.branches.insert(branch.clone(), Owner::Waits(answer));
            let input = Input::Send {
                branch,
                method: message.method(),
                destination: self.destination(to),
                sent_by: self.inner.local.to_string(),
                message: message.to_bytes().into(),
                now,
            };
            self.drive(book, input, now);
        });
        waits.await.ok()
    }

    /// A token for Call-IDs and tags.
    pub(crate) fn token(&self) -> String {
        self.inner.book.lock().seed.token()
    }

    fn destination(&self, address: SocketAddr) -> Destination {
        Destination { transport: Transport::Udp, address, flow: None }
    }

    fn source(&self, remote: SocketAddr) -> Source {
        Source { transport: Transport::Udp, remote, local: self.inner.local, flow: None }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Book, u64) -> T) -> T {
        let now = self.inner.origin.elapsed().as_millis() as u64;
        work(&mut self.inner.book.lock(), now)
    }

    fn seat(&self, book: &mut Book) -> (u64, Local) {
        book.next += 1;
        let local = Local {
            contact_host: self.inner.local.to_string(),
            contact_user: format!("u{}", book.next),
            user_agent: self.inner.user_agent.to_owned(),
            domain: self.inner.domain.clone(),
            replaces: Replacing::Unknown,
            fax: false,
        };
        (book.next, local)
    }

    fn sit(
        &self,
        book: &mut Book,
        number: u64,
        leg: Leg,
        local: Local,
        outputs: Vec<ua::Output>,
        now: u64,
    ) -> Line {
        let (facts, heard) = mpsc::unbounded_channel();
        book.legs.insert(number, Seat { leg, local, due: None, branches: Vec::new(), facts });
        self.carry_out(book, number, outputs, now);
        Line { endpoint: self.clone(), number, facts: heard }
    }

    /// Does something with a leg and carries out what comes of it.
    fn on_leg(
        &self,
        book: &mut Book,
        number: u64,
        now: u64,
        work: impl FnOnce(&mut Leg, &mut Ctx<'_>) -> Vec<ua::Output>,
    ) {
        let Book { legs, seed, .. } = book;
        let Some(seat) = legs.get_mut(&number) else { return };
        let outputs = work(&mut seat.leg, &mut Ctx { now, seed, local: &seat.local });
        self.carry_out(book, number, outputs, now);
    }

    fn carry_out(&self, book: &mut Book, number: u64, outputs: Vec<ua::Output>, now: u64) {
        for output in outputs {
            match output {
                ua::Output::Fact(fact) => {
                    if let Some(seat) = book.legs.get(&number) {
                        // Nobody listens any more once the line was dropped.
                        let _ = seat.facts.send(fact);
                    }
                }
                ua::Output::Send(outgoing) => self.send(book, number, outgoing, now),
            }
        }
        book.rearm(number);
    }

    fn send(&self, book: &mut Book, number: u64, outgoing: Outgoing, now: u64) {
        let input = match outgoing {
            Outgoing::Request { branch, method, destination, message } => {
                if method != Method::ACK {
                    book.own(branch.clone(), number);
                }
                Input::Send {
                    branch,
                    method,
                    destination,
                    sent_by: self.inner.local.to_string(),
                    message: message.into(),
                    now,
                }
            }
            Outgoing::Response { destination, message } => {
                match Input::respond(destination, message.into(), now) {
                    Ok(input) => input,
                    // What a leg writes can be read.
                    Err(_) => return,
                }
            }
        };
        self.drive(book, input, now);
    }

    fn drive(&self, book: &mut Book, input: Input, now: u64) {
        for output in book.layer.handle(input) {
            match output {
                Output::Transmit { destination, bytes } => {
                    // A full socket buffer is loss, and SIP repeats.
                    let _ = self.inner.sender.send_to(&bytes, destination.address);
                }
                Output::Request { message, source, .. } => self.request_in(book, message, &source, now),
                Output::Ack { message, source, .. } => self.to_leg(book, &message, &source, now),
                Output::Cancelled { message, source, .. } => {
                    self.respond(book, &message, &source, 200, now);
                    self.to_leg(book, &message, &source, now);
                }
                Output::Response { branch, message, source } => {
                    self.response_in(book, &branch, message, &source, now)
                }
                Output::TimedOut { branch, method } => {
                    self.fail(book, Failure::TimedOut { branch, method }, now)
                }
                Output::TransportFailed { branch, method } => {
                    self.fail(book, Failure::TransportFailed { branch, method }, now);
                }
                Output::Stray { .. }
                | Output::AckMissing { .. }
                | Output::PrackMissing { .. }
                | Output::SetTimer { .. } => {}
            }
        }
    }
}

impl Book {
    fn rearm(&mut self, number: u64) {
        let Some(seat) = self.legs.get_mut(&number) else { return };
        if let Some(due) = seat.due.take() {
            self.due.remove(&(due, number));
        }
        seat.due = seat.leg.next_due();
        if let Some(due) = seat.due {
            self.due.insert((due, number));
        } else if seat.leg.is_ended() && seat.facts.is_closed() {
            let gone = self.legs.remove(&number);
            gone.into_iter()
                .flat_map(|seat| seat.branches)
                .for_each(|branch| drop(self.branches.remove(&branch)));
        }
    }

    fn own(&mut self, branch: String, number: u64) {
        if let Some(seat) = self.legs.get_mut(&number) {
            seat.branches.push(branch.clone());
            self.branches.insert(branch, Owner::Leg(number));
        }
    }
}

async fn receive(endpoint: Endpoint) {
    let mut buffer = vec![0; 65_536];
    loop {
        let Ok((length, from)) = endpoint.inner.socket.recv_from(&mut buffer).await else { continue };
        if let Ok(message) = Message::parse(&buffer[..length]) {
            let source = endpoint.source(from);
            endpoint.with(|book, now| endpoint.drive(book, Input::Message { message, source, now }, now));
        }
    }
}

async fn tick(endpoint: Endpoint) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        endpoint.with(|book, now| {
            endpoint.drive(book, Input::Timeout { now }, now);
            while let Some((due, number)) = book.due.first().copied().filter(|(due, _)| *due <= now) {
                book.due.remove(&(due, number));
                endpoint.on_leg(book, number, now, |leg, ctx| leg.timer(ctx));
            }
        });
    }
}
