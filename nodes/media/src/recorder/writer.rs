//! One recording's way into the store: parts in order, each tried until it is there.

mod entering;

use bytes::Bytes;
use entering::Told;
use object_store::{Error, ObjectStoreExt, PutMode};
use tokio::sync::mpsc;

use super::{
    Memory, Settings,
    claims::{Claim, Claims},
    compact,
    inbox::{Inbox, Next},
    judge::{self, Whose},
    layout::{self, LONGEST_GAP_MS, milliseconds},
    open::{Note, Ticket},
    parts,
    piece::Piece,
    spool::About,
    store::{DEADLINE, within},
};

pub(super) struct Writer {
    settings: Settings,
    note: Note,
    next: u32,
    /// Bytes of all parts that are there.
    written: u64,
    /// Bytes of the recording that belong before this one's sound. Where others have gone on meanwhile, more are written.
    base: u64,
    /// Another has taken the recording up: nothing of this one's is written any more.
    is_lost: bool,
}

/// How a recording begins.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) ticket: Ticket,
    /// Milliseconds since 1970.
    pub(super) began_ms: u64,
    /// How long before that it should have begun.
    pub(super) ran_ms: u64,
    /// None while another still works on the recording.
    pub(super) claim: Option<Claim>,
}

/// Writes one recording until it is finished or its node stops.
pub(super) async fn run(
    settings: Settings,
    memory: Memory,
    claims: Claims,
    beginning: Beginning,
    pieces: mpsc::UnboundedReceiver<Piece>,
) {
    let Beginning { ticket, began_ms, ran_ms, claim } = beginning;
    let told = Told::now(began_ms);
    let about = About::new(ticket.clone(), settings.writer.clone(), began_ms, ran_ms);
    let mut inbox = Inbox::new(settings.spool.clone(), about, memory, pieces);
    let begin = async {
        settings.gate.opened().await;
        let claim = match claim {
            Some(claim) => claim,
            None => claims.claim(&ticket).await,
        };
        (claim, Writer::open(settings.clone(), ticket.clone(), told, ran_ms).await)
    };
    let Some((_claim, writer)) = inbox.during(begin).await else { return inbox.put_down() };
    inbox.begun(writer.base()).await;
    drain(writer, inbox).await;
}

/// Writes what the inbox has until the recording is finished, or nothing more comes.
pub(super) async fn drain(mut writer: Writer, mut inbox: Inbox) {
    loop {
        let (at, piece) = match inbox.next().await {
            Next::Piece(at, piece) => (at, piece),
            Next::End => break,
            Next::Stop => return inbox.put_down(),
        };
        let is_last = matches!(piece, Piece::Finish { .. });
        if inbox.during(writer.take(at, piece)).await.is_none() {
            return inbox.put_down();
        }
        inbox.done().await;
        if is_last {
            return inbox.clear().await;
        }
    }
    if inbox.is_suspended() && inbox.during(writer.leave()).await.is_none() {
        return inbox.put_down();
    }
    inbox.clear().await;
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Put {
    Done,
    /// Another wrote one of this number: the recording is longer than was thought.
    Taken,
    /// The recording is another's now.
    Lost,
}

impl Writer {
    fn new(settings: Settings, note: Note) -> Self {
        Self { settings, note, next: 1, written: 0, base: 0, is_lost: false }
    }

    /// Bytes of the recording before this writer's own sound: with them the next run knows what of that is written.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Writes what a piece says, which comes after so many bytes of this writer's sound.
    pub(super) async fn take(&mut self, at: u64, piece: Piece) {
        let place = self.base.saturating_add(at);
        let fit = judge::fit(self.written, place, piece.lasts());
        if fit.gap > 0 && !self.is_lost {
            // It was in the memory of a process that is gone, or where the disk can't be read.
            self.put_silence(fit.gap).await;
        }
        match piece {
            Piece::Sound(sound) => self.put(behind(&sound, fit.skip)).await,
            Piece::Hole(bytes) => self.put_silence(bytes - fit.skip).await,
            Piece::Lost(ms) if self.written <= place => self.miss(ms).await,
            Piece::Finish { ended_ms, rest } => self.finish(ended_ms, behind(&rest, fit.skip)).await,
            Piece::Lost(_) | Piece::Suspend(_) => {}
        }
    }

    /// What is all at hand becomes a file at once. Else the end is noted first: whoever puts the parts together knows
    /// then how long the whole should be.
    async fn finish(&mut self, ended_ms: u64, rest: Bytes) {
        if !self.is_still_ours().await {
            return self.leave().await;
        }
        self.note.ended_ms = Some(ended_ms);
        if self.next == 1 && self.note.shortage_ms(rest.len() as u64) == 0 {
            return compact::finish_at_once(&self.settings, self.note.clone(), rest).await;
        }
        if !rest.is_empty() {
            self.put(rest).await;
        }
        if self.is_lost {
            return;
        }
        self.write_note().await;
        compact::finish(&self.settings, self.note.clone()).await;
    }

    /// The gap is looked at again when another still wrote a part meanwhile.
    async fn resume(&mut self, now_ms: u64, is_overtaken: bool) {
        loop {
            self.go_behind_the_last().await;
            let (written_ms, lasted_ms) =
                (milliseconds(self.written), now_ms.saturating_sub(self.note.began_ms));
            let gap_ms = lasted_ms.saturating_sub(written_ms).min(LONGEST_GAP_MS);
            let ahead_ms = if is_overtaken { judge::ahead_ms(written_ms, lasted_ms) } else { 0 };
            let ahead = layout::bytes(ahead_ms);
            tracing::info!(recording = self.note.ticket.recording, gap_ms, "a recording is taken up");
            // What is not filled here is found short at the end, and counted then.
            if self.fill(layout::bytes(gap_ms)).await != Put::Taken {
                self.base = self.written.saturating_sub(ahead);
                self.note.base = Some(self.base);
                return self.note_down().await;
            }
        }
    }

    /// Goes on after the parts that are there.
    async fn go_behind_the_last(&mut self) {
        let (objects, ticket) = (self.settings.objects.as_ref(), &self.note.ticket);
        let list = || parts::list(objects, ticket);
        let parts = self.settings.failing.insist("list the parts", ticket, list).await;
        self.next = parts.last().map_or(1, |part| part.number + 1);
        self.written = parts.iter().map(|part| part.bytes).sum();
    }

    async fn fill(&mut self, bytes: u64) -> Put {
        for piece in parts::silence(bytes) {
            let length = piece.len() as u64;
            let put = self.try_put(&piece).await;
            if put != Put::Done {
                return put;
            }
            self.note.missing_ms += milliseconds(length);
        }
        Put::Done
    }

    /// Sound that was lost.
    async fn put_silence(&mut self, bytes: u64) {
        for piece in parts::silence(bytes) {
            self.put(piece).await;
        }
        self.miss(milliseconds(bytes)).await;
    }

    async fn miss(&mut self, ms: u64) {
        self.note.missing_ms += ms;
        self.note_down().await;
    }

    async fn note_down(&mut self) {
        if !self.is_lost && self.is_still_ours().await {
            self.write_note().await;
        }
    }

    async fn put(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        while self.try_put(&bytes).await == Put::Taken {
            let before = self.written;
            self.go_behind_the_last().await;
            // What another still wrote is no part of this one's sound.
            self.base += self.written.saturating_sub(before);
            self.note.base = Some(self.base);
        }
    }

    /// A part never takes the place of another: two nodes may take themselves for the recording's writer, one of them cut off
    /// from the cluster and not from the store.
    async fn try_put(&mut self, bytes: &Bytes) -> Put {
        if self.is_lost {
            return Put::Lost;
        }
        let (path, parts) = (layout::part(&self.note.ticket, self.next), self.settings.parts.as_ref());
        let put = || async {
            let create = parts.put_opts(&path, bytes.clone().into(), PutMode::Create.into());
            match within(DEADLINE, create).await {
                Ok(_) => Ok(true),
                // By an attempt of ours that seemed to fail.
                Err(Error::AlreadyExists { .. }) => {
                    let read = async { parts.get(&path).await?.bytes().await };
                    match within(DEADLINE, read).await {
                        // Sealed with a key that this node does not have, so by another.
                        Err(error) if is_foreign(&error) => Ok(false),
                        there => Ok(there? == *bytes),
                    }
                }
                Err(error) => Err(error),
            }
        };
        if self.settings.failing.insist("write a part", &self.note.ticket, put).await {
            self.next += 1;
            self.written += bytes.len() as u64;
            return Put::Done;
        }
        if self.is_still_ours().await { Put::Taken } else { Put::Lost }
    }

    /// Whether nobody has taken the recording up, or finished it, since this writer did. A folder knows no conditional update: who
    /// wrote over the note without a right to is written over in turn.
    async fn is_still_ours(&mut self) -> bool {
        if self.is_lost {
            return false;
        }
        let (objects, ticket) = (self.settings.objects.as_ref(), &self.note.ticket);
        let read = || Note::read(objects, ticket);
        let found = self.settings.failing.insist("read the note", ticket, read).await;
        match judge::whose(&self.note, found.as_ref()) {
            Whose::Ours => {}
            Whose::TakenByMistake => {
                tracing::warn!(
                    recording = ticket.recording,
                    "a recording's note was written over: it is put back"
                );
                self.write_note().await;
            }
            Whose::Anothers => {
                tracing::warn!(recording = ticket.recording, "a recording is written by another now");
                self.is_lost = true;
            }
        }
        !self.is_lost
    }

    /// Nothing more is written here. Parts that came after another had finished are nobody's.
    pub(super) async fn leave(&mut self) {
        let (objects, ticket) = (self.settings.objects.as_ref(), &self.note.ticket);
        if self
            .settings
            .failing
            .insist("read the note", ticket, || Note::read(objects, ticket))
            .await
            .is_none()
        {
            self.settings
                .failing
                .insist("remove the parts", ticket, || compact::remove_parts(objects, ticket))
                .await;
        }
    }

    async fn write_note(&self) {
        self.settings
            .failing
            .insist("write the note", &self.note.ticket, || self.note.write(self.settings.objects.as_ref()))
            .await;
    }
}

/// The sound behind its first so many bytes; it has at least as many.
fn behind(sound: &Bytes, skip: u64) -> Bytes {
    sound.slice(skip as usize..)
}

fn is_foreign(error: &Error) -> bool {
    matches!(mangrove_objects::of_sealing(error), Some(mangrove_objects::Error::NoMaster { .. }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
