//! Transactions under virtual time: one layer alone here, two layers over a lossy link in `link`.

mod client;
mod link;
mod server;

use super::*;
use crate::Transport;

/// A layer, its clock, and what came out of it when.
#[derive(Debug, Default)]
pub(super) struct Bench {
    pub(super) layer: Layer,
    pub(super) now: u64,
    pub(super) seen: Vec<(u64, Output)>,
}

impl Bench {
    pub(super) fn feed(&mut self, input: Input) {
        let outputs = self.layer.handle(input);
        self.seen.extend(outputs.into_iter().map(|output| (self.now, output)));
    }

    /// Lets time pass, calling at each moment that the layer names.
    pub(super) fn run_until(&mut self, end: u64) {
        while let Some(at) = self.layer.next_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.feed(Input::Timeout { now: self.now });
        }
        self.now = end;
    }

    pub(super) fn receive(&mut self, message: Message, transport: Transport) {
        let now = self.now;
        self.feed(Input::Message { message, source: source(transport), now });
    }

    pub(super) fn respond(&mut self, message: &Message, transport: Transport) {
        let (destination, message, now) = (source(transport).destination(), message.to_bytes(), self.now);
        self.feed(Input::respond(destination, message.into(), now).unwrap());
    }

    pub(super) fn send(&mut self, branch: &str, message: &Message, transport: Transport) {
        let (branch, method) = (branch.to_owned(), message.method());
        let destination = source(transport).destination();
        let (sent_by, message, now) = ("192.0.2.1:5060".to_owned(), message.to_bytes(), self.now);
        self.feed(Input::Send { branch, method, destination, sent_by, message: message.into(), now });
    }

    /// When something was sent, each time.
    pub(super) fn sent_at(&self) -> Vec<u64> {
        let sent = self.seen.iter().filter(|(_, output)| matches!(output, Output::Transmit { .. }));
        sent.map(|(at, _)| *at).collect()
    }

    /// The last message sent.
    pub(super) fn last_sent(&self) -> Message {
        let last = self.seen.iter().rev().find_map(|(_, output)| match output {
            Output::Transmit { bytes, .. } => Some(Message::parse(bytes).unwrap()),
            _ => None,
        });
        last.expect("something was sent")
    }

    /// What the user was told, in short, with the time.
    pub(super) fn told(&self) -> Vec<String> {
        self.seen.iter().filter_map(|(at, output)| Some(format!("{at} {}", short(output)?))).collect()
    }
}

pub(super) fn short(output: &Output) -> Option<String> {
    Some(match output {
        Output::Transmit { .. } | Output::SetTimer { .. } => return None,
        Output::Request { message, .. } => message.method().to_string(),
        Output::Response { message, .. } => message.status().unwrap_or(0).to_string(),
        Output::Stray { message, .. } => format!("stray {}", message.status().unwrap_or(0)),
        Output::Ack { key, .. } => format!("ACK known={}", key.is_some()),
        Output::Cancelled { invite, .. } => format!("CANCEL known={}", invite.is_some()),
        Output::TimedOut { method, .. } => format!("{method} timed out"),
        Output::TransportFailed { method, .. } => format!("{method} failed"),
        Output::AckMissing { .. } => "no ACK".to_owned(),
        Output::PrackMissing { .. } => "no PRACK".to_owned(),
    })
}

pub(super) fn source(transport: Transport) -> Source {
    Source {
        transport,
        remote: "198.51.100.7:5060".parse().unwrap(),
        local: "192.0.2.1:5060".parse().unwrap(),
        flow: None,
    }
}

/// A request of ours without Via, or one of theirs when a Via is put on top.
pub(super) fn request(method: Method) -> Message {
    let cseq = format!("1 {method}");
    Message::request(method, "sip:bob@example.com")
        .with("Max-Forwards", 70)
        .with("From", "<sip:alice@example.com>;tag=a")
        .with("To", "<sip:bob@example.com>")
        .with("Call-ID", "c1")
        .with("CSeq", cseq)
}

pub(super) fn with_via(mut message: Message, branch: &str) -> Message {
    message.push_front("Via", format!("SIP/2.0/UDP 198.51.100.7:5060;branch={branch}"));
    message
}

pub(super) fn reply(request: &Message, status: u16) -> Message {
    let mut reply = Message::reply_to(request, status);
    reply.set_to_tag("b");
    reply
}

/// Repetitions of timers A, E and G until the end of a transaction.
pub(super) const DOUBLING: [u64; 7] = [0, 500, 1500, 3500, 7500, 15_500, 31_500];
pub(super) const CAPPED: [u64; 11] =
    [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
