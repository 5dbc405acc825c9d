//! What a recording's writer has before it, in order: in memory while the object store keeps up, on the disk when it does not.
//! Whoever waits for the store waits through [`Inbox::during`], so that what comes meanwhile finds its place.

use std::{collections::VecDeque, io, pin::pin, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    Memory,
    piece::{Piece, Place},
    spool::{About, Left, Shelf, Spool},
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
    /// Of the next piece that comes.
    coming: Place,
    /// The store does not keep up: what comes goes to the disk.
    is_behind: bool,
    suspend: Option<Suspend>,
    stowage: Stowage,
}

/// What the writer is to do next.
#[derive(Debug)]
pub(super) enum Next {
    /// To write a piece, which comes after so many bytes of its sound, and to say when it is `done`.
    Piece(u64, Piece),
    /// To stop: nothing more comes.
    End,
    /// To stop: the process ends, and what is not written is on the disk.
    Stop,
}

/// One piece.
enum Waiting {
    Here { place: Place, piece: Piece },
    Shelved { place: Place, size: u64, sound: u64 },
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
    /// What its writer had of the recording before its own sound, once its note is in the object store.
    base: Option<u64>,
}

impl Inbox {
    pub(super) fn new(
        spool: Option<Spool>,
        about: About,
        memory: Memory,
        arriving: mpsc::UnboundedReceiver<Piece>,
    ) -> Self {
        let stowage = Stowage { spool, about, shelf: None, base: None };
        Self {
            arriving,
            is_open: true,
            memory,
            hand: None,
            waiting: VecDeque::new(),
            coming: Place::FIRST,
            is_behind: false,
            suspend: None,
            stowage,
        }
    }

    /// With what a former run left, and nothing to come.
    pub(super) fn of_former_run(left: Left, memory: Memory) -> Self {
        let Left { about, shelf, pieces, base } = left;
        let stowage = Stowage { spool: None, about, shelf: Some(shelf), base };
        // How much sound is in it shows when it is read: it is about as much as the file is long.
        let waiting = pieces.into_iter().map(|(place, size)| Waiting::Shelved { place, size, sound: size });
        let (waiting, arriving) = (waiting.collect(), mpsc::unbounded_channel().1);
        Self {
            arriving,
            is_open: false,
            memory,
            hand: None,
            waiting,
            coming: Place::FIRST,
            is_behind: true,
            suspend: None,
            stowage,
        }
    }

    /// The next piece, as soon as there is one.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            if let Some(waiting) = self.waiting.pop_front() {
                return self.take(waiting).await;
            }
            self.is_behind = false;
            if self.suspend.is_some() || !self.is_open {
                return Next::End;
            }
            let piece = self.arriving.recv().await;
            self.arrived(piece).await;
        }
    }

    /// Into the hand. The disk may take its time to give it, or never do.
    async fn take(&mut self, waiting: Waiting) -> Next {
        let (place, sound) = match self.hand.insert(waiting) {
            Waiting::Here { place, piece } => return Next::Piece(place.at, piece.again()),
            Waiting::Shelved { place, sound, .. } => (*place, *sound),
        };
        let reading = self.stowage.reading(place, sound);
        match self.during(reading.piece()).await {
            Some(piece) => Next::Piece(place.at, piece),
            None => Next::Stop,
        }
    }

    /// The piece that was taken last is in the object store.
    pub(super) async fn done(&mut self) {
        match self.hand.take() {
            Some(Waiting::Here { piece, .. }) => self.memory.release(piece.length()),
            Some(Waiting::Shelved { place, size, .. }) => self.stowage.forget(place, size).await,
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

    /// The recording's note is in the object store; its writer found so many bytes that belong before its own sound.
    pub(super) async fn begun(&mut self, base: u64) {
        self.stowage.base = Some(base);
        if let Some(shelf) = &self.stowage.shelf {
            shelf.mark_begun(base).await;
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
        let place = self.coming;
        self.coming = place.behind(&piece);
        let waiting = Waiting::Here { place, piece };
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
        let Waiting::Here { place, piece } = waiting else { return waiting };
        match self.put(place, &piece).await {
            Ok(Some(size)) => {
                memory.release(piece.length());
                Waiting::Shelved { place, size, sound: piece.length() as u64 }
            }
            Ok(None) => Waiting::Here { place, piece },
            Err(error) => {
                tracing::warn!(%error, recording = self.about.ticket.recording, "sound can't wait on the disk");
                Waiting::Here { place, piece }
            }
        }
    }

    async fn put(&mut self, place: Place, piece: &Piece) -> io::Result<Option<u64>> {
        let Some(spool) = &self.spool else { return Ok(None) };
        if self.shelf.is_none() {
            let shelf = Shelf::make(spool, self.about.clone()).await?;
            if let Some(base) = self.base {
                shelf.mark_begun(base).await;
            }
            self.shelf = Some(shelf);
        }
        match &self.shelf {
            Some(shelf) => shelf.put(place, piece).await,
            None => Ok(None),
        }
    }

    fn reading(&self, place: Place, sound: u64) -> Reading {
        Reading { shelf: self.shelf.clone(), recording: self.about.ticket.recording.clone(), place, sound }
    }

    async fn forget(&self, place: Place, size: u64) {
        if let Some(shelf) = &self.shelf {
            shelf.forget(place, size).await;
        }
    }
}

/// A piece that is asked of the disk.
struct Reading {
    shelf: Option<Shelf>,
    recording: String,
    place: Place,
    /// Bytes that are lost where it is not given back, about.
    sound: u64,
}

impl Reading {
    /// The piece, or nothing where the disk does not give it back: silence comes in its place before what follows.
    async fn piece(self) -> Piece {
        self.read().await.unwrap_or_else(|error| {
            tracing::error!(%error, recording = self.recording, "sound is lost that waited on the disk");
            metrics::counter!(RECORDING_DROPPED).increment(self.sound);
            Piece::Hole(0)
        })
    }

    /// Asks again where that may help: it does not for what is gone or damaged.
    async fn read(&self) -> io::Result<Piece> {
        let shelf = self.shelf.as_ref().ok_or(io::ErrorKind::NotFound)?;
        for _ in 1..READS {
            match shelf.get(self.place).await {
                Err(error)
                    if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) =>
                {
                    let recording = &self.recording;
                    tracing::warn!(%error, recording, "sound on the disk can't be read, trying again");
                    tokio::time::sleep(PAUSE).await;
                }
                read => return read,
            }
        }
        shelf.get(self.place).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
