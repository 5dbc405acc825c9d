//! Events of one edge or media node on their way to control: numbered, kept until acknowledged, one batch under way at
//! a time, sent to another node when one does not take it. What the product's edges and media nodes promise.

use std::collections::VecDeque;

use mangrove_proto::common::{Ack, Sender};

use super::Outside;
use crate::NODES;
use crate::NodeIndex;
use crate::post::{Answer, Ask};

const BATCH: usize = 16;
/// A node may take this long to answer.
const PATIENCE: u64 = 2_500;
const FIRST_PAUSE: u64 = 50;
const LONGEST_PAUSE: u64 = 1_000;

/// The queue; `E` knows its number.
#[derive(Debug)]
pub(crate) struct Outgoing<E> {
    /// Of the process whose events these are.
    pub(crate) run: u64,
    last: u64,
    waiting: VecDeque<(u64, E)>,
    busy: bool,
    pause: u64,
    /// The node that took the last batch.
    favourite: NodeIndex,
}

impl<E: Clone> Outgoing<E> {
    /// Of a process that begins.
    pub(crate) fn of(run: u64) -> Self {
        Self { run, last: 0, waiting: VecDeque::new(), busy: false, pause: FIRST_PAUSE, favourite: 0 }
    }

    /// Numbers an event, which `make` is told.
    pub(crate) fn push(&mut self, make: impl FnOnce(u64) -> E) {
        self.last += 1;
        self.waiting.push_back((self.last, make(self.last)));
    }

    /// Whether control has everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What is sent next.
    pub(super) fn batch(&self) -> Vec<E> {
        self.waiting.iter().take(BATCH).map(|(_, event)| event.clone()).collect()
    }

    /// Whether the batch was taken, as far as it was.
    fn settle(&mut self, answer: Option<Answer>) -> bool {
        self.busy = false;
        let Some(Answer::Ack(Ok(Ack { sequence }))) = answer else {
            self.favourite = (self.favourite + 1) % NODES;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            return false;
        };
        let before = self.waiting.len();
        while self.waiting.front().is_some_and(|(number, _)| *number <= sequence) {
            self.waiting.pop_front();
        }
        self.pause = FIRST_PAUSE;
        before > self.waiting.len()
    }
}

/// Where a queue is in the outside.
pub(crate) type Find<E> = fn(&mut Outside, usize) -> &mut Outgoing<E>;

/// Sends what waits, unless a batch is under way.
pub(crate) fn kick<E: Clone + 'static>(
    outside: &mut Outside,
    (whose, name): (usize, String),
    find: Find<E>,
    envelope: fn(Sender, Vec<E>) -> Ask,
) {
    let queue = find(outside, whose);
    if queue.busy || queue.waiting.is_empty() {
        return;
    }
    queue.busy = true;
    let (node, run, batch) = (queue.favourite, queue.run, queue.batch());
    let sender = Sender { node: name.clone(), run };
    outside.ask(node, envelope(sender, batch), PATIENCE, move |outside, answer| {
        let queue = find(outside, whose);
        if queue.run != run {
            return;
        }
        if queue.settle(answer) {
            return kick(outside, (whose, name), find, envelope);
        }
        let pause = find(outside, whose).pause;
        outside.after(pause, move |outside| kick(outside, (whose, name), find, envelope));
    });
}
