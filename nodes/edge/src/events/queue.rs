//! One group's events: those sent and not acknowledged, and those still waiting to be sent. A number is given at
//! the first sending, so that what expires before leaves no hole, and what was sent keeps its number for ever.

use std::collections::VecDeque;

use mangrove_proto::edge::EdgeEvent;

#[derive(Debug, Default)]
pub(super) struct Queue {
    last: u64,
    /// Events that ever came.
    pushed: u64,
    /// Since when control has acknowledged nothing although there was something.
    stalled_since: Option<u64>,
    sent: VecDeque<EdgeEvent>,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    event: EdgeEvent,
    expires_at: Option<u64>,
}

impl Queue {
    /// Gives the event's place, counted from 1.
    pub(super) fn push(&mut self, event: EdgeEvent, expires_at: Option<u64>, now: u64) -> u64 {
        self.stalled_since.get_or_insert(now);
        self.waiting.push_back(Waiting { event, expires_at });
        self.pushed += 1;
        self.pushed
    }

    /// Whether the event of this place neither waits nor may have to be sent again.
    pub(super) fn is_over(&self, place: u64) -> bool {
        place + self.len() as u64 <= self.pushed
    }

    pub(super) fn len(&self) -> usize {
        self.sent.len() + self.waiting.len()
    }

    /// Since when events wait and none was acknowledged; none while nothing waits.
    pub(super) fn stalled_since(&self) -> Option<u64> {
        self.stalled_since
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
        if self.len() == 0 {
            self.stalled_since = None;
        }
        (self.sent.iter().cloned().collect(), expired)
    }

    /// Forgets what is committed. Returns how many events that was.
    pub(super) fn acknowledge(&mut self, sequence: u64, now: u64) -> usize {
        let before = self.sent.len();
        while self.sent.front().is_some_and(|event| event.sequence <= sequence) {
            self.sent.pop_front();
        }
        let count = before - self.sent.len();
        if count > 0 {
            self.went_on(now);
        }
        count
    }

    /// Forgets the batch that was sent: control will never take it. Returns its size.
    pub(super) fn give_up(&mut self, now: u64) -> usize {
        let count = std::mem::take(&mut self.sent).len();
        self.went_on(now);
        count
    }

    fn went_on(&mut self, now: u64) {
        self.stalled_since = (self.len() > 0).then_some(now);
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
            queue.push(event(leg), None, 0);
        }
        assert_eq!(numbers(&mut queue, 0), [(1, "a".into()), (2, "b".into())]);
        assert_eq!(numbers(&mut queue, 0), [(1, "a".into()), (2, "b".into())]);
        assert_eq!(queue.acknowledge(1, 5), 1);
        assert_eq!(numbers(&mut queue, 0), [(2, "b".into())]);
        assert_eq!(queue.acknowledge(9, 6), 1);
        assert_eq!(numbers(&mut queue, 0), [(3, "c".into())]);
        assert_eq!((queue.give_up(7), queue.len()), (1, 0));
    }

    #[test]
    fn only_what_was_never_sent_expires() {
        let mut queue = Queue::default();
        queue.push(event("old"), Some(100), 0);
        queue.push(event("young"), Some(300), 0);
        queue.push(event("dialog"), None, 0);
        let (batch, expired) = queue.batch(200, 10);
        assert_eq!((batch.len(), expired), (2, 1));
        assert_eq!(numbers(&mut queue, 400), [(1, "young".into()), (2, "dialog".into())]);
    }

    #[test]
    fn it_stalls_from_the_first_that_waits_until_any_is_acknowledged() {
        let mut queue = Queue::default();
        assert_eq!(queue.stalled_since(), None);
        assert_eq!((queue.push(event("a"), None, 10), queue.push(event("b"), None, 20)), (1, 2));
        queue.push(event("c"), None, 30);
        numbers(&mut queue, 40);
        assert_eq!((queue.acknowledge(0, 50), queue.stalled_since()), (0, Some(10)));
        assert_eq!((queue.acknowledge(1, 60), queue.stalled_since()), (1, Some(60)));
        assert_eq!([1, 2, 3].map(|place| queue.is_over(place)), [true, false, false]);
        assert_eq!((queue.acknowledge(2, 70), queue.stalled_since()), (1, Some(70)));
        numbers(&mut queue, 80);
        assert_eq!((queue.give_up(90), queue.stalled_since()), (1, None));
        queue.push(event("old"), Some(100), 95);
        numbers(&mut queue, 200);
        assert_eq!(queue.stalled_since(), None, "forgotten");
    }
}
