//! Work beside the writer: the next segment is made before it is needed, and old ones are removed.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use super::files::{self, Segment};

/// A node that writes little keeps little; a disk that has no room for more gets these too.
pub(super) const LEAST: usize = 1 << 20;
const MOST: usize = 16 << 20;

enum Order {
    Make { number: u32, size: usize },
    Remove(PathBuf),
}

/// The thread, and what it has made. It ends, and is waited for, with this.
pub(super) struct Ahead {
    folder: PathBuf,
    orders: Option<Sender<Order>>,
    made: Receiver<io::Result<Segment>>,
    thread: Option<JoinHandle<()>>,
    next: Next,
}

/// The segment that will be needed.
enum Next {
    NotAsked,
    Asked,
    Ready(Segment),
    /// The writer tries again when it needs it, and fails then.
    NoRoom,
}

impl Ahead {
    /// `spare`: what an earlier process made.
    pub(super) fn start(folder: &Path, spare: Option<Segment>) -> io::Result<Self> {
        let (orders, ordered) = channel();
        let (finished, made) = channel();
        let folder = folder.to_path_buf();
        let place = folder.clone();
        let work = move || {
            let mut unneeded = VecDeque::new();
            for order in ordered {
                match order {
                    // Who asked may be gone.
                    Order::Make { number, size } => drop(finished.send(make(&place, number, size, LEAST))),
                    Order::Remove(path) => unneeded.push_back(path),
                }
                remove(&mut unneeded);
            }
        };
        let thread = std::thread::Builder::new().name("raft-log-ahead".into()).spawn(work)?;
        let next = spare.map_or(Next::NotAsked, Next::Ready);
        Ok(Self { folder, orders: Some(orders), made, thread: Some(thread), next })
    }

    fn order(&self, order: Order) -> io::Result<()> {
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        if sent { Ok(()) } else { Err(gone()) }
    }

    /// Has a segment made that follows this one, unless there is one. An error if that failed for another reason than want
    /// of room: such a disk is not to be trusted.
    pub(super) fn prepare(&mut self, last: &Segment) -> io::Result<()> {
        match self.next {
            Next::NotAsked => {
                self.order(Order::Make { number: last.number + 1, size: next_size(last) })?;
                self.next = Next::Asked;
            }
            Next::Asked => match self.made.try_recv() {
                Ok(answer) => self.next = ready(answer)?,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Err(gone()),
            },
            Next::Ready(_) | Next::NoRoom => {}
        }
        Ok(())
    }

    /// Removes a file when there is time.
    pub(super) fn remove(&self, path: PathBuf) -> io::Result<()> {
        self.order(Order::Remove(path))
    }

    /// A segment to follow this one, with room for so much.
    pub(super) fn take(&mut self, last: &Segment, least: usize) -> io::Result<Segment> {
        let next = match std::mem::replace(&mut self.next, Next::NotAsked) {
            Next::Asked => ready(self.made.recv().map_err(|_| gone())?)?,
            other => other,
        };
        match next {
            Next::Ready(spare) if spare.size >= least && spare.number == last.number + 1 => Ok(spare),
            _ => make(&self.folder, last.number + 1, next_size(last).max(least), least),
        }
    }
}

fn ready(answer: io::Result<Segment>) -> io::Result<Next> {
    match answer {
        Ok(segment) => Ok(Next::Ready(segment)),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            tracing::warn!(%error, "there is no room for the log's next segment");
            Ok(Next::NoRoom)
        }
        Err(error) => Err(error),
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that makes the log's segments is gone")
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that makes the log's segments panicked");
        }
    }
}

fn next_size(last: &Segment) -> usize {
    (last.size * 2).clamp(LEAST, MOST)
}

/// As large as there is room for, but not below `least`.
pub(super) fn make(folder: &Path, number: u32, size: usize, least: usize) -> io::Result<Segment> {
    let mut size = size;
    loop {
        match files::make(folder, number, &[], size) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull && size > least => {
                size = (size / 2).max(least)
            }
            made => return made,
        }
    }
}

/// Oldest first, and none before an older one is gone: a gap would look like a loss at the next start.
fn remove(unneeded: &mut VecDeque<PathBuf>) {
    while let Some(path) = unneeded.front() {
        if let Err(error) = std::fs::remove_file(path) {
            tracing::warn!(path = %path.display(), %error, "an old segment of the log can't be removed yet");
            return;
        }
        unneeded.pop_front();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_for_all_gets_a_smaller_segment_or_none() {
        let folder = tempfile::tempdir().unwrap();
        // A file on a disk that is full; what can't be made is removed, so the next try finds room.
        let fills =
            || std::os::unix::fs::symlink("/dev/full", folder.path().join("0000000007.partial")).unwrap();
        fills();
        assert_eq!(make(folder.path(), 7, 4 * LEAST, LEAST).unwrap().size, 2 * LEAST);
        fills();
        let error = make(folder.path(), 7, LEAST, LEAST).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_next_segment_has_room_for_what_comes() {
        let folder = tempfile::tempdir().unwrap();
        let first = make(folder.path(), 1, LEAST, LEAST).unwrap();
        let mut ahead = Ahead::start(folder.path(), None).unwrap();
        ahead.prepare(&first).unwrap();
        ahead.prepare(&first).unwrap();
        let second = ahead.take(&first, 3 * LEAST).unwrap();
        assert_eq!((second.number, second.size), (2, 3 * LEAST), "what was made ahead is too small");
        ahead.prepare(&second).unwrap();
        let third = ahead.take(&second, LEAST).unwrap();
        assert_eq!((third.number, third.size), (3, 6 * LEAST));
    }
}
