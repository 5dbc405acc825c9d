//! One group's events: those sent and not acknowledged, and those still waiting to be sent. A number is given at
//! the first sending, so that what expires before leaves no hole, and what was sent keeps its number for ever.

use std::collections::VecDeque;

use mangrove_proto::edge::EdgeEvent;

#[derive(Debug, Default)]
pub(super) struct Queue {
    last: u64,
    sent: VecDeque<EdgeEvent>,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    event: EdgeEvent,
    expires_at: Option<u64>,
}

impl Queue {
    pub(super) fn push(&mut self, event: EdgeEvent, expires_at: Option<u64>) {
        self.waiting.push_back(Waiting { event, expires_at });
    }

    pub(super) fn len(&self) -> usize {
        self.sent.len() + self.waiting.len()
    }

    /// What to send now: again all that was sent and not acknowledged, else the next events. Also the number of
    /// events that had expired and were forgotten.
    pub(super) fn batch(&mut self, now: u64, size: usize) -> (Vec<EdgeEvent>, usize) {
        let mut expired = 0;
        if self.sent.is_empty() {
            while self.sent.len() < size {
                let Some(Waiting { mut event, expires_at }) = self.waiting.pop_front() else { break };
                if expires_at.is_some_and(|at| at <= now) {
                    expired += 1;
                    continue;
                }
                self.last += 1;
                event.sequence = self.last;
                self.sent.push_back(event);
            }
        }
        (self.sent.iter().cloned().collect(), expired)
    }

    /// Forgets what is committed. Returns how many events that was.
    pub(super) fn acknowledge(&mut self, sequence: u64) -> usize {
        let before = self.sent.len();
        while self.sent.front().is_some_and(|event| event.sequence <= sequence) {
            self.sent.pop_front();
        }
        before - self.sent.len()
    }

    /// Forgets the batch that was sent: control will never take it. Returns its size.
    pub(super) fn give_up(&mut self) -> usize {
        std::mem::take(&mut self.sent).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(leg: &str) -> EdgeEvent {
        EdgeEvent { leg: leg.into(), ..EdgeEvent::default() }
    }

    fn numbers(queue: &mut Queue, now: u64) -> Vec<(u64, String)> {
        queue.batch(now, 2).0.into_iter().map(|e| (e.sequence, e.leg)).collect()
    }

    #[test]
    fn a_batch_is_repeated_until_acknowledged_and_numbers_have_no_holes() {
        let mut queue = Queue::default();
        for leg in ["a", "b", "c"] {
            queue.push(event(leg), None);
        }
        assert_eq!(numbers(&mut queue, 0), [(1, "a".into()), (2, "b".into())]);
        assert_eq!(numbers(&mut queue, 0), [(1, "a".into()), (2, "b".into())]);
        assert_eq!(queue.acknowledge(1), 1);
        assert_eq!(numbers(&mut queue, 0), [(2, "b".into())]);
        assert_eq!(queue.acknowledge(9), 1);
        assert_eq!(numbers(&mut queue, 0), [(3, "c".into())]);
        assert_eq!((queue.give_up(), queue.len()), (1, 0));
    }

    #[test]
    fn only_what_was_never_sent_expires() {
        let mut queue = Queue::default();
        queue.push(event("old"), Some(100));
        queue.push(event("young"), Some(300));
        queue.push(event("dialog"), None);
        let (batch, expired) = queue.batch(200, 10);
        assert_eq!((batch.len(), expired), (2, 1));
        assert_eq!(numbers(&mut queue, 400), [(1, "young".into()), (2, "dialog".into())]);
    }
}
