//! One way of one connection.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::{Buf, Bytes};

use crate::NodeIndex;

/// Bytes on their way, and who is at its ends.
pub(super) struct Pipe {
    pub(super) from: NodeIndex,
    pub(super) to: NodeIndex,
    arriving: VecDeque<(u64, Bytes)>,
    /// Sent while the link was cut.
    held: VecDeque<Bytes>,
    last_at: u64,
    /// Who writes is gone: nothing more comes after this moment, or after the link has healed.
    ended: Option<u64>,
    /// Who reads is gone: from then on nobody can write.
    broken: Option<u64>,
    waker: Option<Waker>,
}

/// What there is to read.
pub(super) enum Read {
    Bytes(Bytes),
    End,
    /// Something arrives then; or it is not known when.
    Later(Option<u64>),
}

/// A moment that is known only when the link heals.
const UNKNOWN: u64 = u64::MAX;

impl Pipe {
    pub(super) fn new(from: NodeIndex, to: NodeIndex) -> Self {
        Self {
            from,
            to,
            arriving: VecDeque::new(),
            held: VecDeque::new(),
            last_at: 0,
            ended: None,
            broken: None,
            waker: None,
        }
    }

    /// Whether writing fails by now.
    pub(super) fn is_broken(&self, now: u64) -> bool {
        self.broken.is_some_and(|at| at <= now)
    }

    /// Takes bytes that arrive at this moment; none while the link is cut.
    pub(super) fn send(&mut self, at: Option<u64>, bytes: Bytes) {
        match at.filter(|_| self.held.is_empty()) {
            Some(at) => self.push(at, bytes),
            None => self.held.push_back(bytes),
        }
    }

    /// The link has healed.
    pub(super) fn resume(&mut self, at: u64) {
        while let Some(bytes) = self.held.pop_front() {
            self.push(at, bytes);
        }
        for moment in [&mut self.ended, &mut self.broken].into_iter().flatten() {
            if *moment == UNKNOWN {
                *moment = at;
            }
        }
        self.wake();
    }

    /// Whoever writes or reads is gone, which shows at this moment. Whether both are.
    pub(super) fn leave(&mut self, writer: bool, at: Option<u64>) -> bool {
        let at = at.unwrap_or(UNKNOWN).max(self.last_at);
        if writer {
            self.ended = Some(at);
        } else {
            self.broken = Some(at);
            self.arriving.clear();
            self.held.clear();
        }
        self.wake();
        self.ended.is_some() && self.broken.is_some()
    }

    /// The other side knows nothing of this connection any more.
    pub(super) fn is_unknown(&mut self, at: u64) {
        (self.ended, self.broken) = (Some(at), Some(at));
        self.arriving.clear();
        self.held.clear();
        self.wake();
    }

    /// What there is by now, in parts of `most` bytes at most. `waker` is told when that changes.
    pub(super) fn read(&mut self, now: u64, most: usize, waker: &Waker) -> Read {
        self.waker = Some(waker.clone());
        match self.arriving.front_mut() {
            Some((at, bytes)) if *at <= now => {
                let taken = bytes.split_to(most.min(bytes.len()));
                if !bytes.has_remaining() {
                    self.arriving.pop_front();
                }
                Read::Bytes(taken)
            }
            Some((at, _)) => Read::Later(Some(*at)),
            None => match self.ended {
                Some(at) if at <= now && self.held.is_empty() => Read::End,
                ended => Read::Later(ended.filter(|at| *at > now && *at != UNKNOWN)),
            },
        }
    }

    fn push(&mut self, at: u64, bytes: Bytes) {
        self.last_at = self.last_at.max(at);
        self.arriving.push_back((self.last_at, bytes));
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that is read by now, and whether it is the end.
    fn read(pipe: &mut Pipe, now: u64) -> (String, bool) {
        let mut text = String::new();
        loop {
            match pipe.read(now, 2, Waker::noop()) {
                Read::Bytes(bytes) => text += &String::from_utf8_lossy(&bytes),
                Read::End => return (text, true),
                Read::Later(_) => return (text, false),
            }
        }
    }

    #[test]
    fn bytes_arrive_in_their_order_at_their_time() {
        let mut pipe = Pipe::new(0, 1);
        pipe.send(Some(20), "later ".into());
        pipe.send(Some(10), "than it could".into());
        assert_eq!(read(&mut pipe, 19), (String::new(), false));
        assert!(!pipe.leave(true, Some(5)), "somebody reads");
        assert_eq!(read(&mut pipe, 20), ("later than it could".into(), true));
    }

    #[test]
    fn a_cut_link_holds_bytes_and_their_end_until_it_heals() {
        let mut pipe = Pipe::new(0, 1);
        pipe.send(None, "held, ".into());
        pipe.send(Some(10), "then this".into());
        pipe.leave(true, None);
        assert_eq!(read(&mut pipe, 1_000), (String::new(), false));
        pipe.resume(2_000);
        assert_eq!(read(&mut pipe, 2_000), ("held, then this".into(), true));
    }

    #[test]
    fn who_writes_learns_that_nobody_reads_when_that_can_be_known() {
        let mut pipe = Pipe::new(0, 1);
        pipe.leave(false, Some(10));
        assert!(!pipe.is_broken(9) && pipe.is_broken(10));
        assert!(pipe.leave(true, Some(12)), "both are gone");
    }
}
