//! A request of ours (RFC 3261 section 17.1, RFC 6026 section 7.2).
//!
//! ```text
//! Calling --1xx--> Proceeding --3xx..6xx--> Completed     INVITE: Calling is figure 5, Accepted of RFC 6026
//!    |                 |------------2xx---> Accepted      others: Calling is Trying of figure 6, 2xx is Completed
//! ```

mod ack;

use bytes::Bytes;

use super::Output;
use super::timer::{Repetition, Timers};
use crate::message::{Message, Method};
use crate::{Destination, Source};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No answer yet.
    Calling,
    Proceeding,
    Accepted,
    Completed,
    Over,
}

#[derive(Debug)]
pub(super) struct Client {
    branch: String,
    method: Method,
    destination: Destination,
    request: Bytes,
    /// What acknowledged the failure.
    ack: Option<Bytes>,
    state: State,
    repetition: Option<Repetition>,
    ends_at: u64,
    filed: Option<u64>,
}

impl Client {
    pub(super) fn new(
        branch: String,
        method: Method,
        destination: Destination,
        request: Bytes,
        now: u64,
        timers: &Timers,
    ) -> Self {
        let repetition = match (destination.transport.is_reliable(), &method) {
            (true, _) => None,
            (false, &Method::INVITE) => Some(Repetition::doubling(now, timers)),
            (false, _) => Some(Repetition::capped(now, timers)),
        };
        let ends_at = now + timers.transaction();
        Client {
            branch,
            method,
            destination,
            request,
            ack: None,
            state: State::Calling,
            repetition,
            ends_at,
            filed: None,
        }
    }

    fn is_invite(&self) -> bool {
        self.method == Method::INVITE
    }

    /// Sends the request again if nobody has answered it.
    pub(super) fn repeat(&self, outputs: &mut Vec<Output>) {
        if self.state == State::Calling {
            self.transmit(&self.request, outputs);
        }
    }

    fn transmit(&self, bytes: &Bytes, outputs: &mut Vec<Output>) {
        outputs.push(Output::Transmit { destination: self.destination.clone(), bytes: bytes.clone() });
    }

    /// Ends no later than this.
    pub(super) fn bound(&mut self, at: u64) {
        if matches!(self.state, State::Calling | State::Proceeding) {
            self.ends_at = self.ends_at.min(at);
        }
    }

    pub(super) fn receive(
        &mut self,
        message: Message,
        source: Source,
        now: u64,
        timers: &Timers,
        outputs: &mut Vec<Output>,
    ) {
        let status = message.status().unwrap_or(0);
        let wanted = match (self.state, status) {
            (State::Calling | State::Proceeding, 100..200) => self.proceed(now, timers),
            (State::Calling | State::Proceeding, 200..300) if self.is_invite() => self.accept(now, timers),
            (State::Calling | State::Proceeding, _) => self.complete(&message, now, timers, outputs),
            (State::Accepted, 200..300) => true,
            (State::Completed, 300..700) => {
                self.acknowledge_again(outputs);
                false
            }
            _ => false,
        };
        if wanted {
            outputs.push(Output::Response { branch: self.branch.clone(), message, source });
        }
    }

    fn proceed(&mut self, now: u64, timers: &Timers) -> bool {
        let first = self.state == State::Calling;
        self.state = State::Proceeding;
        if self.is_invite() {
            self.repetition = None;
            self.ends_at = if first { now + timers.guard() } else { self.ends_at };
        } else if first && self.repetition.is_some() {
            self.repetition = Some(Repetition::slow(now, timers));
        }
        true
    }

    fn accept(&mut self, now: u64, timers: &Timers) -> bool {
        self.state = State::Accepted;
        self.repetition = None;
        self.ends_at = now + timers.transaction();
        true
    }

    fn complete(&mut self, message: &Message, now: u64, timers: &Timers, outputs: &mut Vec<Output>) -> bool {
        let reliable = self.destination.transport.is_reliable();
        self.state = State::Completed;
        self.repetition = None;
        if self.is_invite() {
            self.ack = ack::for_failure(&self.request, message);
            self.acknowledge_again(outputs);
            self.ends_at = now + timers.absorb(reliable);
        } else {
            self.ends_at = now + timers.linger(reliable);
        }
        true
    }

    fn acknowledge_again(&self, outputs: &mut Vec<Output>) {
        if let Some(ack) = &self.ack {
            self.transmit(ack, outputs);
        }
    }

    pub(super) fn time_out(&mut self, now: u64, outputs: &mut Vec<Output>) {
        if now >= self.ends_at {
            if matches!(self.state, State::Calling | State::Proceeding) {
                outputs.push(Output::TimedOut { branch: self.branch.clone(), method: self.method.clone() });
            }
            self.state = State::Over;
        } else if let Some(repetition) = self.repetition.filter(|repetition| now >= repetition.at) {
            self.repetition = Some(repetition.next(now));
            self.transmit(&self.request, outputs);
        }
    }

    /// Whether an answer from there is still to come, and none came yet.
    pub(super) fn waits_for(&self, destination: &Destination) -> bool {
        self.state == State::Calling && self.destination == *destination
    }

    /// Whether a final answer is still to come over this connection.
    pub(super) fn hangs_on(&self, flow: &str) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
            && self.destination.flow.as_deref() == Some(flow)
    }

    pub(super) fn fail(&mut self, outputs: &mut Vec<Output>) {
        outputs.push(Output::TransportFailed { branch: self.branch.clone(), method: self.method.clone() });
        self.state = State::Over;
    }

    /// The moment it was filed under, and the one it is to be filed under now; None when it is over.
    pub(super) fn file(&mut self) -> (Option<u64>, Option<u64>) {
        let repeats_at = self.repetition.map_or(u64::MAX, |repetition| repetition.at);
        let next = (self.state != State::Over).then(|| self.ends_at.min(repeats_at));
        (std::mem::replace(&mut self.filed, next), next)
    }
}
