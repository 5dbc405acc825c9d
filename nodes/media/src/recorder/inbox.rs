//! What a recording's writer has before it, in order: in memory while the object store keeps up, on the disk when it does not.
//! Whoever waits for the store waits through [`Inbox::during`], so that what comes meanwhile finds its place.

use std::{collections::VecDeque, io, pin::pin, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    Memory, layout,
    spool::{About, Left, Shelf, Spool},
    writer::Piece,
};
use crate::metrics::RECORDING_DROPPED;

/// The store may take this long before what waits for it is put on the disk.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Pieces of one recording that may wait in memory: a store that takes each just in time falls behind all the same.
const IN_MEMORY: usize = 3;
/// A process that ends waits this long for the store when all the rest is on the disk.
const SUSPENDS: Duration = Duration::from_secs(4);
/// A disk that can't be read may recover: it is asked again so often, with such pauses.
const READS: usize = 300;
const PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Inbox {
    arriving: mpsc::UnboundedReceiver<Piece>,
    is_open: bool,
    memory: Memory,
    /// What the writer is at.
    hand: Option<Waiting>,
    waiting: VecDeque<Waiting>,
    /// Number of the next piece that comes.
    next: u64,
    /// The store does not keep up: what comes goes to the disk.
    is_behind: bool,
    suspend: Option<Suspend>,
    stowage: Stowage,
}

/// One piece.
enum Waiting {
    Here { number: u64, piece: Piece },
    Shelved { number: u64, size: u64, sound: u64 },
}

struct Suspend {
    answer: oneshot::Sender<()>,
    /// When it is answered at the latest, if all that is not written is on the disk then.
    deadline: Option<Instant>,
}

/// Where pieces go that wait for long.
struct Stowage {
    spool: Option<Spool>,
    about: About,
    shelf: Option<Shelf>,
    /// The recording's note is in the object store.
    is_begun: bool,
}

impl Inbox {
    pub(super) fn new(
        spool: Option<Spool>,
        about: About,
        memory: Memory,
        arriving: mpsc::UnboundedReceiver<Piece>,
    ) -> Self {
        let stowage = Stowage { spool, about, shelf: None, is_begun: false };
        Self {
            arriving,
            is_open: true,
            memory,
            hand: None,
            waiting: VecDeque::new(),
            next: 1,
            is_behind: false,
            suspend: None,
            stowage,
        }
    }

    /// With what a former run left, and nothing to come.
    pub(super) fn of_former_run(left: Left, memory: Memory) -> Self {
        let Left { about, shelf, pieces, is_begun } = left;
        let stowage = Stowage { spool: None, about, shelf: Some(shelf), is_begun };
        // How much sound is in it shows when it is read: it is about as much as the file is long.
        let sound = |size: u64| size - size % layout::SAMPLE;
        let waiting =
            pieces.into_iter().map(|(number, size)| Waiting::Shelved { number, size, sound: sound(size) });
        let (waiting, arriving) = (waiting.collect(), mpsc::unbounded_channel().1);
        Self {
            arriving,
            is_open: false,
            memory,
            hand: None,
            waiting,
            next: 1,
            is_behind: true,
            suspend: None,
            stowage,
        }
    }

    /// The next piece, as soon as there is one; none when the writer is to stop. Whoever took it says when it is `done`.
    pub(super) async fn next(&mut self) -> Option<Piece> {
        loop {
            if let Some(waiting) = self.waiting.pop_front() {
                let piece = self.stowage.piece(&waiting).await;
                self.hand = Some(waiting);
                return Some(piece);
            }
            self.is_behind = false;
            if self.suspend.is_some() || !self.is_open {
                return None;
            }
            let piece = self.arriving.recv().await;
            self.arrived(piece).await;
        }
    }

    /// The piece that was taken last is in the object store.
    pub(super) async fn done(&mut self) {
        match self.hand.take() {
            Some(Waiting::Here { piece, .. }) => self.memory.release(piece.length()),
            Some(Waiting::Shelved { number, size, .. }) => self.stowage.forget(number, size).await,
            None => {}
        }
    }

    /// Waits for the work. None: the process ends, and what is not written is on the disk.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut patience = pin!(tokio::time::sleep(PATIENCE));
        loop {
            let deadline = self.suspend.as_ref().and_then(|suspend| suspend.deadline);
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                piece = self.arriving.recv(), if self.is_open => self.arrived(piece).await,
                () = &mut patience, if !self.is_behind => self.fall_behind().await,
                () = until(deadline), if deadline.is_some() => {
                    self.fall_behind().await;
                    if self.is_all_shelved() {
                        return None;
                    }
                    self.suspend.iter_mut().for_each(|suspend| suspend.deadline = None);
                }
            }
        }
    }

    /// The recording's note is in the object store.
    pub(super) async fn begun(&mut self) {
        self.stowage.is_begun = true;
        if let Some(shelf) = &self.stowage.shelf {
            shelf.mark_begun().await;
        }
    }

    /// Whether the writer is to stop and leave the recording to others.
    pub(super) fn is_suspended(&self) -> bool {
        self.suspend.is_some()
    }

    /// All is written that had to be: nothing stays on the disk.
    pub(super) async fn clear(mut self) {
        self.done().await;
        for waiting in &self.waiting {
            if let Waiting::Here { piece, .. } = waiting {
                self.memory.release(piece.length());
            }
        }
        if let Some(shelf) = self.stowage.shelf.take() {
            shelf.remove().await;
        }
        self.put_down();
    }

    /// The writer stops; what is on the disk is for the next run.
    pub(super) fn put_down(self) {
        if let Some(suspend) = self.suspend {
            // Whoever asked may not wait any more.
            let _ = suspend.answer.send(());
        }
    }

    async fn arrived(&mut self, piece: Option<Piece>) {
        let piece = match piece {
            None => {
                self.is_open = false;
                return;
            }
            Some(Piece::Suspend(answer)) => {
                // Where nobody waits for the answer, the store may take its time.
                let deadline = (!answer.is_closed()).then(|| Instant::now() + SUSPENDS);
                self.suspend = Some(Suspend { answer, deadline });
                return;
            }
            Some(piece) => piece,
        };
        let waiting = Waiting::Here { number: self.next, piece };
        self.next += 1;
        let waiting = if self.is_behind { self.stowage.shelve(waiting, &self.memory).await } else { waiting };
        self.waiting.push_back(waiting);
        if !self.is_behind && self.waiting.len() > IN_MEMORY {
            self.fall_behind().await;
        }
    }

    /// From now on what waits is on the disk, as far as there is room.
    async fn fall_behind(&mut self) {
        self.is_behind = true;
        if let Some(waiting) = self.hand.take() {
            self.hand = Some(self.stowage.shelve(waiting, &self.memory).await);
        }
        for waiting in std::mem::take(&mut self.waiting) {
            let waiting = self.stowage.shelve(waiting, &self.memory).await;
            self.waiting.push_back(waiting);
        }
    }

    fn is_all_shelved(&self) -> bool {
        let mut all = self.hand.iter().chain(&self.waiting);
        all.all(|waiting| matches!(waiting, Waiting::Shelved { .. }))
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

impl Stowage {
    /// On the disk, if it takes it: else memory has to do.
    async fn shelve(&mut self, waiting: Waiting, memory: &Memory) -> Waiting {
        let Waiting::Here { number, piece } = waiting else { return waiting };
        match self.put(number, &piece).await {
            Ok(Some(size)) => {
                memory.release(piece.length());
                Waiting::Shelved { number, size, sound: piece.length() as u64 }
            }
            Ok(None) => Waiting::Here { number, piece },
            Err(error) => {
                tracing::warn!(%error, recording = self.about.ticket.recording, "sound can't wait on the disk");
                Waiting::Here { number, piece }
            }
        }
    }

    async fn put(&mut self, number: u64, piece: &Piece) -> io::Result<Option<u64>> {
        let Some(spool) = &self.spool else { return Ok(None) };
        if self.shelf.is_none() {
            let shelf = Shelf::make(spool, self.about.clone()).await?;
            if self.is_begun {
                shelf.mark_begun().await;
            }
            self.shelf = Some(shelf);
        }
        match &self.shelf {
            Some(shelf) => shelf.put(number, piece).await,
            None => Ok(None),
        }
    }

    /// The piece, or a hole of its length where the disk does not give it back.
    async fn piece(&self, waiting: &Waiting) -> Piece {
        let (number, sound) = match waiting {
            Waiting::Here { piece, .. } => return piece.again(),
            Waiting::Shelved { number, sound, .. } => (*number, *sound),
        };
        self.read(number).await.unwrap_or_else(|error| {
            tracing::error!(%error, recording = self.about.ticket.recording, "sound is lost that waited on the disk");
            metrics::counter!(RECORDING_DROPPED).increment(sound);
            Piece::Hole(sound)
        })
    }

    /// Asks again where that may help: it does not for what is gone or damaged.
    async fn read(&self, number: u64) -> io::Result<Piece> {
        let shelf = self.shelf.as_ref().ok_or(io::ErrorKind::NotFound)?;
        for _ in 1..READS {
            match shelf.get(number).await {
                Err(error)
                    if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) =>
                {
                    let recording = &self.about.ticket.recording;
                    tracing::warn!(%error, recording, "sound on the disk can't be read, trying again");
                    tokio::time::sleep(PAUSE).await;
                }
                read => return read,
            }
        }
        shelf.get(number).await
    }

    async fn forget(&self, number: u64, size: u64) {
        if let Some(shelf) = &self.shelf {
            shelf.forget(number, size).await;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
