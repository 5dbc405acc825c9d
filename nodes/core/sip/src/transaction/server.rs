//! A request of others (RFC 3261 section 17.2, RFC 6026 section 7.1, RFC 3262 section 3).
//!
//! ```text
//! Trying --1xx--> Proceeding --3xx..6xx--> Completed --ACK--> Confirmed    INVITE
//!   |                 |------------2xx---> Accepted (2xx repeated until ACK)
//! Trying --1xx--> Proceeding --2xx..6xx--> Completed                       others
//! ```

use bytes::Bytes;

use super::timer::{Repetition, Timers};
use super::{Key, Output};
use crate::Destination;
use crate::message::{Message, Method};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The user has said nothing yet.
    Trying,
    Proceeding,
    Accepted,
    Completed,
    Confirmed,
    Over,
}

/// An answer as it went out.
#[derive(Debug, Clone)]
struct Sent {
    destination: Destination,
    bytes: Bytes,
    /// Of a reliable 1xx.
    rseq: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Server {
    key: Key,
    is_invite: bool,
    state: State,
    last: Option<Sent>,
    /// The reliable 1xx still waiting for its PRACK, and until when.
    unproven: Option<(Sent, u64)>,
    acknowledged: bool,
    repetition: Option<Repetition>,
    ends_at: u64,
    filed: Option<u64>,
}

impl Server {
    /// `message` is the request, or a response to it. A user that never answers is not waited for longer than the far
    /// end waits.
    pub(super) fn new(key: Key, message: &Message, now: u64, timers: &Timers) -> Self {
        Server {
            key,
            is_invite: message.method() == Method::INVITE,
            state: State::Trying,
            last: None,
            unproven: None,
            acknowledged: false,
            repetition: None,
            ends_at: now + timers.transaction(),
            filed: None,
        }
    }

    /// The request came again: the last answer goes out again. A 2xx has a rhythm of its own (RFC 6026 section 7.1).
    pub(super) fn repeat(&self, outputs: &mut Vec<Output>) {
        if matches!(self.state, State::Proceeding | State::Completed) {
            outputs.extend(self.last.as_ref().map(Sent::transmit));
        }
    }

    pub(super) fn respond(
        &mut self,
        message: &Message,
        destination: Destination,
        bytes: Bytes,
        now: u64,
        timers: &Timers,
        outputs: &mut Vec<Output>,
    ) {
        let status = message.status().unwrap_or(0);
        let sent = Sent { destination, bytes, rseq: message.u32_of("RSeq").filter(|_| status < 200) };
        match self.state {
            State::Trying | State::Proceeding if status < 200 => self.proceed(sent, now, timers, outputs),
            State::Trying | State::Proceeding => self.finish(sent, status, now, timers, outputs),
            State::Accepted if (200..300).contains(&status) => outputs.push(sent.transmit()),
            _ => self.repeat(outputs),
        }
    }

    fn proceed(&mut self, sent: Sent, now: u64, timers: &Timers, outputs: &mut Vec<Output>) {
        self.state = State::Proceeding;
        self.ends_at = now + if self.is_invite { timers.guard() } else { timers.transaction() };
        outputs.push(sent.transmit());
        if self.is_invite && sent.rseq.is_some() {
            self.repetition = Some(Repetition::doubling(now, timers));
            self.unproven = Some((sent.clone(), now + timers.transaction()));
        }
        self.last = Some(sent);
    }

    fn finish(&mut self, sent: Sent, status: u16, now: u64, timers: &Timers, outputs: &mut Vec<Output>) {
        let reliable = sent.destination.transport.is_reliable();
        let accepted = self.is_invite && status < 300;
        self.state = if accepted { State::Accepted } else { State::Completed };
        self.unproven = None;
        let repeated = accepted || (self.is_invite && !reliable);
        self.repetition = repeated.then(|| Repetition::capped(now, timers));
        self.ends_at = now + if self.is_invite { timers.transaction() } else { timers.absorb(reliable) };
        outputs.push(sent.transmit());
        self.last = Some(sent);
    }

    /// Takes the ACK; whether it is the first one for a 2xx.
    pub(super) fn acknowledge(&mut self, now: u64, timers: &Timers) -> bool {
        match self.state {
            State::Accepted => {
                self.repetition = None;
                !std::mem::replace(&mut self.acknowledged, true)
            }
            State::Completed if self.is_invite => {
                let reliable =
                    self.last.as_ref().is_some_and(|sent| sent.destination.transport.is_reliable());
                self.state = State::Confirmed;
                self.repetition = None;
                self.ends_at = now + timers.linger(reliable);
                false
            }
            _ => false,
        }
    }

    pub(super) fn stop_provisional(&mut self, rseq: u32) {
        let proven = self.unproven.as_ref().is_some_and(|(sent, _)| sent.rseq == Some(rseq));
        if proven {
            self.unproven = None;
            self.repetition = None;
        }
    }

    pub(super) fn time_out(&mut self, now: u64, outputs: &mut Vec<Output>) {
        if now >= self.ends_at {
            return self.end(outputs);
        }
        if self.unproven.as_ref().is_some_and(|(_, until)| now >= *until) {
            self.unproven = None;
            self.repetition = None;
            outputs.push(Output::PrackMissing { key: self.key.clone() });
        }
        if let Some(repetition) = self.repetition.filter(|repetition| now >= repetition.at) {
            self.repetition = Some(repetition.next(now));
            let repeated = self.unproven.as_ref().map(|(sent, _)| sent).or(self.last.as_ref());
            outputs.extend(repeated.map(Sent::transmit));
        }
    }

    fn end(&mut self, outputs: &mut Vec<Output>) {
        let waiting = match self.state {
            State::Accepted => !self.acknowledged,
            State::Completed => self.is_invite,
            _ => false,
        };
        if waiting {
            outputs.push(Output::AckMissing { key: self.key.clone() });
        }
        self.state = State::Over;
    }

    /// The moment it was filed under, and the one it is to be filed under now; None when it is over.
    pub(super) fn file(&mut self) -> (Option<u64>, Option<u64>) {
        let repeats_at = self.repetition.map_or(u64::MAX, |repetition| repetition.at);
        let proof_ends_at = self.unproven.as_ref().map_or(u64::MAX, |(_, until)| *until);
        let next = (self.state != State::Over).then(|| self.ends_at.min(repeats_at).min(proof_ends_at));
        (std::mem::replace(&mut self.filed, next), next)
    }
}

impl Sent {
    fn transmit(&self) -> Output {
        Output::Transmit { destination: self.destination.clone(), bytes: self.bytes.clone() }
    }
}
