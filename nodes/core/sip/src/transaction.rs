//! The transaction layer of one edge: matching and retransmission (RFC 3261 section 17, RFC 6026, RFC 3262 section 3).
//!
//! No sockets, no clock: feed [`Input`]s to [`Layer::handle`], carry out the [`Output`]s in order, and call again with
//! [`Input::Timeout`] when [`Layer::next_timeout`] is reached. What is lost with the layer is only time: a response
//! or request given to a new layer again creates its transaction anew, byte for byte the same for the far end.
//!
//! The layer answers nothing by itself but malformed (400) and merged (482) requests. CANCEL, like every request, goes
//! up to the user, which answers it and the INVITE.

mod client;
mod event;
mod index;
mod key;
mod server;
mod stateless;
mod timer;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::message::{Message, Method};
use crate::screen::{self, Verdict};
use crate::{Destination, Source};
use client::Client;
use index::CallIndex;
use server::Server;

pub use event::{Input, Output};
pub use key::Key;
pub use timer::Timers;

/// A transaction of either side. Requests of ours are known by branch and method.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Handle {
    Client(String, String),
    Server(Key),
}

/// All transactions of one edge.
#[derive(Debug, Default)]
pub struct Layer {
    timers: Timers,
    clients: BTreeMap<(String, String), Client>,
    servers: BTreeMap<Key, Server>,
    calls: CallIndex,
    due: BTreeSet<(u64, Handle)>,
    announced: Option<u64>,
}

impl Layer {
    pub fn new(timers: Timers) -> Self {
        Layer { timers, ..Layer::default() }
    }

    /// Transactions held: what admission measures.
    pub fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a request belongs to a transaction held: its repetition, or the ACK or CANCEL of an INVITE. Any other
    /// begins something, and may be refused without a transaction (RFC 3261 section 8.2.7).
    pub fn knows(&self, request: &Message) -> bool {
        let Some(key) = Key::of(request) else { return false };
        let follows = request.is(&Method::ACK) || request.is(&Method::CANCEL);
        self.servers.contains_key(&key) || (follows && self.servers.contains_key(&key.of_invite()))
    }

    /// When to call with [`Input::Timeout`].
    pub fn next_timeout(&self) -> Option<u64> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes one input; the outputs are to be carried out in order.
    pub fn handle(&mut self, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            Input::Message { message, source, now } => self.receive(message, source, now, &mut outputs),
            Input::Send { branch, method, destination, sent_by, message, now } => {
                let bytes = stateless::with_via(&message, &destination, &sent_by, &branch);
                self.send(branch, method, destination, bytes, now, &mut outputs);
            }
            Input::Respond { destination, message, bytes, now } => {
                self.respond(destination, &message, bytes, now, &mut outputs)
            }
            Input::Timeout { now } => self.time_out(now, &mut outputs),
            Input::TransportFailed { destination } => {
                self.fail(|client| client.waits_for(&destination), &mut outputs);
            }
            Input::FlowClosed { flow } => self.fail(|client| client.hangs_on(&flow), &mut outputs),
        }
        self.announce(&mut outputs);
        outputs
    }

    fn receive(&mut self, mut message: Message, source: Source, now: u64, outputs: &mut Vec<Output>) {
        let verdict = screen::form(&message);
        if message.is_response() {
            if verdict == Verdict::Pass {
                self.receive_response(message, source, now, outputs);
            }
            return;
        }
        message.note_source(&source);
        match Key::of(&message) {
            Some(key) if verdict == Verdict::Pass => self.receive_request(key, message, source, now, outputs),
            _ => outputs.extend(stateless::answer(&verdict, &message, &source)),
        }
    }

    fn receive_response(&mut self, message: Message, source: Source, now: u64, outputs: &mut Vec<Output>) {
        let branch = message.branch().unwrap_or_default();
        let id = (branch.clone(), message.method().as_str().to_owned());
        let Some(client) = self.clients.get_mut(&id) else {
            outputs.push(Output::Stray { branch, message, source });
            return;
        };
        client.receive(message, source, now, &self.timers, outputs);
        self.reschedule(Handle::Client(id.0, id.1));
    }

    fn receive_request(
        &mut self,
        key: Key,
        message: Message,
        source: Source,
        now: u64,
        outputs: &mut Vec<Output>,
    ) {
        if message.is(&Method::ACK) {
            return self.receive_ack(key, message, source, now, outputs);
        }
        if let Some(server) = self.servers.get_mut(&key) {
            return server.repeat(outputs);
        }
        if message.is(&Method::INVITE) {
            if self.calls.is_merged(&message, &key) {
                outputs.extend(stateless::refuse(482, &message, &source));
                return;
            }
            self.calls.insert(&message, &key);
        }
        if message.is(&Method::PRACK) {
            self.stop_provisional(&message);
        }
        let server = Server::new(key.clone(), &message, now, &self.timers);
        self.servers.insert(key.clone(), server);
        self.reschedule(Handle::Server(key.clone()));
        outputs.push(if message.is(&Method::CANCEL) {
            let invite = key.of_invite();
            let invite = self.servers.contains_key(&invite).then_some(invite);
            Output::Cancelled { invite, key, message, source }
        } else {
            Output::Request { key, message, source }
        });
    }

    /// The ACK for a failure has the INVITE's branch, the one for a success a branch of its own.
    fn receive_ack(
        &mut self,
        key: Key,
        message: Message,
        source: Source,
        now: u64,
        outputs: &mut Vec<Output>,
    ) {
        let invite = key.of_invite();
        let known = if self.servers.contains_key(&invite) { Some(invite) } else { self.calls.find(&message) };
        let Some(key) = known else {
            outputs.push(Output::Ack { key: None, message, source });
            return;
        };
        if let Some(server) = self.servers.get_mut(&key) {
            if server.acknowledge(now, &self.timers) {
                outputs.push(Output::Ack { key: Some(key.clone()), message, source });
            }
            self.reschedule(Handle::Server(key));
        }
    }

    /// A PRACK ends the retransmission of the answer it names (RFC 3262 section 3).
    fn stop_provisional(&mut self, prack: &Message) {
        let Some((rseq, key)) = self.calls.find_by_rack(prack) else { return };
        if let Some(server) = self.servers.get_mut(&key) {
            server.stop_provisional(rseq);
            self.reschedule(Handle::Server(key));
        }
    }

    fn send(
        &mut self,
        branch: String,
        method: Method,
        destination: Destination,
        bytes: Bytes,
        now: u64,
        outputs: &mut Vec<Output>,
    ) {
        if method == Method::ACK {
            outputs.push(Output::Transmit { destination, bytes });
            return;
        }
        if method == Method::CANCEL {
            self.bound_cancelled(&branch, now);
        }
        let id = (branch, method.as_str().to_owned());
        match self.clients.get(&id) {
            Some(client) => client.repeat(outputs),
            None => {
                let client = Client::new(id.0.clone(), method, destination, bytes, now, &self.timers);
                client.repeat(outputs);
                self.clients.insert(id.clone(), client);
                self.reschedule(Handle::Client(id.0, id.1));
            }
        }
    }

    /// An INVITE that was cancelled ends within 64*T1, answer or not (RFC 3261 section 9.1).
    fn bound_cancelled(&mut self, branch: &str, now: u64) {
        let id = (branch.to_owned(), Method::INVITE.as_str().to_owned());
        if let Some(client) = self.clients.get_mut(&id) {
            client.bound(now + self.timers.transaction());
            self.reschedule(Handle::Client(id.0, id.1));
        }
    }

    fn respond(
        &mut self,
        destination: Destination,
        message: &Message,
        bytes: Bytes,
        now: u64,
        outputs: &mut Vec<Output>,
    ) {
        let Some(key) = Key::of(message) else {
            outputs.push(Output::Transmit { destination, bytes });
            return;
        };
        let server = self.servers.entry(key.clone()).or_insert_with(|| {
            if message.method() == Method::INVITE {
                self.calls.insert(message, &key);
            }
            Server::new(key.clone(), message, now, &self.timers)
        });
        server.respond(message, destination, bytes, now, &self.timers, outputs);
        self.reschedule(Handle::Server(key));
    }

    fn time_out(&mut self, now: u64, outputs: &mut Vec<Output>) {
        while let Some((at, handle)) = self.due.first().cloned() {
            if at > now {
                return;
            }
            match &handle {
                Handle::Client(branch, method) => {
                    if let Some(client) = self.clients.get_mut(&(branch.clone(), method.clone())) {
                        client.time_out(now, outputs);
                    }
                }
                Handle::Server(key) => {
                    if let Some(server) = self.servers.get_mut(key) {
                        server.time_out(now, outputs);
                    }
                }
            }
            self.due.remove(&(at, handle.clone()));
            self.reschedule(handle);
        }
    }

    fn fail(&mut self, concerned: impl Fn(&Client) -> bool, outputs: &mut Vec<Output>) {
        let failed = self.clients.iter().filter(|(_, client)| concerned(client));
        let failed: Vec<_> = failed.map(|(id, _)| id.clone()).collect();
        for id in failed {
            if let Some(client) = self.clients.get_mut(&id) {
                client.fail(outputs);
            }
            self.reschedule(Handle::Client(id.0, id.1));
        }
    }

    /// Files a transaction under its next moment, or forgets it when it is over.
    fn reschedule(&mut self, handle: Handle) {
        let (filed, next) = match &handle {
            Handle::Client(branch, method) => match self.clients.get_mut(&(branch.clone(), method.clone())) {
                Some(client) => client.file(),
                None => return,
            },
            Handle::Server(key) => match self.servers.get_mut(key) {
                Some(server) => server.file(),
                None => return,
            },
        };
        if filed == next && next.is_some() {
            return;
        }
        if let Some(at) = filed {
            self.due.remove(&(at, handle.clone()));
        }
        match next {
            Some(at) => {
                self.due.insert((at, handle));
            }
            None => self.forget(handle),
        }
    }

    fn forget(&mut self, handle: Handle) {
        match handle {
            Handle::Client(branch, method) => {
                self.clients.remove(&(branch, method));
            }
            Handle::Server(key) => {
                self.servers.remove(&key);
                self.calls.remove(&key);
            }
        }
    }

    fn announce(&mut self, outputs: &mut Vec<Output>) {
        let next = self.next_timeout();
        if next != self.announced {
            self.announced = next;
            outputs.extend(next.map(|at| Output::SetTimer { at }));
        }
    }
}
