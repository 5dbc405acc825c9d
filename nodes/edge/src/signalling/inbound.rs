//! What comes in: read, matched with its transaction, and, if it begins something, judged by the gate.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mangrove_sip::{Destination, Message, Method, Source, Transport, transaction::Input};

use super::{Signalling, gate::Verdict, reply::drop_silently, shard::Shard};
use crate::{
    flows::Flow,
    metrics::{EVENTS_WAITING, MESSAGES_IN, PANICS, SEND_FAILURES, STUN, TRANSACTIONS, method_label},
    stun,
};

impl Signalling {
    /// Takes a datagram. Whatever is in it, the reader goes on.
    pub(crate) fn datagram(&self, bytes: &[u8], source: Source) {
        // Phones keep NAT bindings open with empty or blank datagrams.
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b' ' | 0)) {
            return drop_silently("keep-alive");
        }
        // Nobody can be answered there, and for a trunk it would stand for any port.
        if source.remote.port() == 0 {
            return drop_silently("port_0");
        }
        if let Some(answer) = stun::answer(bytes, source.remote) {
            return self.answer_stun(&answer, &source);
        }
        let contained = catch_unwind(AssertUnwindSafe(|| match Message::parse(bytes) {
            Ok(message) => self.message(message, source.clone()),
            Err(error) => self.unreadable(&error, &source),
        }));
        if contained.is_err() {
            metrics::counter!(PANICS).increment(1);
            tracing::error!(remote = %source.remote, length = bytes.len(), "handling a datagram panicked");
        }
    }

    fn answer_stun(&self, answer: &[u8], source: &Source) {
        if !self.is_welcome(source) {
            return drop_silently("rate");
        }
        metrics::counter!(STUN).increment(1);
        // A phone that hears nothing asks again.
        let _ = self.outlet.udp.send(answer, source.remote);
    }

    /// Takes a message.
    pub(crate) fn message(&self, message: Message, source: Source) {
        let kind = if message.is_request() { "request" } else { "response" };
        metrics::counter!(MESSAGES_IN, "method" => method_label(&message.method()), "kind" => kind)
            .increment(1);
        if message.is_request() { self.request(message, source) } else { self.response(message, source) }
    }

    fn response(&self, message: Message, source: Source) {
        let shard = self.shards.of(&message);
        let outputs = shard.handle(Input::Message { message, source, now: self.clock.now() });
        self.perform(shard, outputs, None);
    }

    fn request(&self, mut message: Message, source: Source) {
        message.note_source(&source);
        let shard = self.shards.of(&message);
        let owner = if message.is(&Method::ACK) || shard.knows(&message) {
            None
        } else {
            match self.gate(&message, &source) {
                Verdict::Pass(owner) => Some(owner),
                Verdict::Answer(answer) => return self.reply(&message, &source, answer),
                Verdict::Drop(reason) => return drop_silently(reason),
            }
        };
        let outputs = shard.handle(Input::Message { message, source, now: self.clock.now() });
        self.perform(shard, outputs, owner);
    }

    /// Something could not leave; `failed` is the destination of a request, which fails with all that wait for it.
    pub(crate) fn not_sent(&self, transport: Transport, failed: Option<Destination>) {
        metrics::counter!(SEND_FAILURES, "transport" => transport.name()).increment(1);
        let Some(destination) = failed else { return };
        for shard in self.shards.iter() {
            let outputs = shard.handle(Input::TransportFailed { destination: destination.clone() });
            self.perform(shard, outputs, None);
        }
    }

    /// A connection ended: everybody who heard of it is told. To a WebSocket's far end nobody can connect, so what was to be
    /// answered over it has failed; told afterwards, for then nobody tries the same way again.
    pub(crate) fn flow_closed(&self, flow: &Flow) {
        self.report_closed(flow);
        if !flow.transport.is_websocket() {
            return;
        }
        for shard in self.shards.iter() {
            let outputs = shard.handle(Input::FlowClosed { flow: flow.token.clone() });
            self.perform(shard, outputs, None);
        }
    }

    /// The timers of a shard are due.
    pub(super) fn timeout(&self, shard: &Shard) {
        let now = self.clock.now();
        let outputs = shard.handle(Input::Timeout { now });
        self.perform(shard, outputs, None);
        self.give_up(shard, now);
        let Some(unanswered) = shard.sweep(now) else { return };
        self.admission.answered(unanswered);
        metrics::gauge!(TRANSACTIONS).set(self.shards.transactions() as f64);
        metrics::gauge!(EVENTS_WAITING).set(self.events.waiting() as f64);
    }
}
