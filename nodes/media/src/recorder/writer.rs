//! One recording's way into the store: parts in order, each tried until it is there.

use bytes::Bytes;
use object_store::{Error, ObjectStoreExt, PutMode};
use tokio::sync::{mpsc, oneshot};

use super::{
    Memory, Settings,
    claims::{Claim, Claims},
    compact,
    inbox::Inbox,
    layout::{self, LONGEST_GAP_MS, SPARE_MS, milliseconds},
    open::{Note, Ticket},
    parts,
    spool::About,
    store::{DEADLINE, within},
};

/// What the two measures of a recording's age may differ by while both clocks are right: a command takes its time.
const TOLERANCE_MS: u64 = 3_000;

/// What a writer is given, in order.
#[derive(Debug)]
pub(super) enum Piece {
    Sound(Bytes),
    /// So many bytes of sound were lost: they become silence.
    Hole(u64),
    /// Of what comes next so many milliseconds are silence because their sound was lost.
    Lost(u64),
    /// The recording ended then, milliseconds since 1970, and this is the last of its sound.
    Finish {
        ended_ms: u64,
        rest: Bytes,
    },
    /// Everything before this is in the store, or waits on the disk for the next run, when it is answered.
    Suspend(oneshot::Sender<()>),
}

impl Piece {
    /// Bytes of sound in memory.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Sound(sound) | Self::Finish { rest: sound, .. } => sound.len(),
            Self::Hole(_) | Self::Lost(_) | Self::Suspend(_) => 0,
        }
    }

    /// The same once more, its sound shared. What is no part of the recording is nothing.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Sound(sound) => Self::Sound(sound.clone()),
            Self::Hole(bytes) => Self::Hole(*bytes),
            Self::Lost(ms) => Self::Lost(*ms),
            Self::Finish { ended_ms, rest } => Self::Finish { ended_ms: *ended_ms, rest: rest.clone() },
            Self::Suspend(_) => Self::Hole(0),
        }
    }
}

pub(super) struct Writer {
    settings: Settings,
    note: Note,
    next: u32,
    /// Another has taken the recording up: nothing of this one's is written any more.
    is_lost: bool,
    /// Bytes of this one's sound that others have written already: those are left out.
    ahead: u64,
    /// The last part of all, if the piece that comes first may be the same: its writer ended before it could say so.
    last: Option<Bytes>,
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
    let about = About::new(ticket.clone(), settings.writer.clone(), began_ms, ran_ms);
    let mut inbox = Inbox::new(settings.spool.clone(), about, memory, pieces);
    let begin = async {
        settings.gate.opened().await;
        let claim = match claim {
            Some(claim) => claim,
            None => claims.claim(&ticket).await,
        };
        (claim, Writer::open(settings.clone(), ticket.clone(), began_ms, ran_ms).await)
    };
    let Some((_claim, writer)) = inbox.during(begin).await else { return inbox.put_down() };
    inbox.begun().await;
    drain(writer, inbox).await;
}

/// Writes what the inbox has until the recording is finished, or nothing more comes.
pub(super) async fn drain(mut writer: Writer, mut inbox: Inbox) {
    while let Some(piece) = inbox.next().await {
        let is_last = matches!(piece, Piece::Finish { .. });
        if inbox.during(writer.take(piece)).await.is_none() {
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
    /// Begins the recording, or takes up what a former run or another node left. What is missing until now is silence.
    async fn open(settings: Settings, ticket: Ticket, now_ms: u64, ran_ms: u64) -> Self {
        let is_late = ran_ms > SPARE_MS;
        let began_ms = if is_late { now_ms.saturating_sub(ran_ms) } else { now_ms };
        let fresh = Note { writer: settings.writer.clone(), ..Note::new(ticket, began_ms) };
        let failing = settings.failing.clone();
        let former =
            failing.insist("begin the note", &fresh.ticket, || fresh.begin(settings.parts.as_ref())).await;
        let is_new = former.is_none();
        let writer = fresh.writer.clone();
        let note = Note { writer, finished: None, ended_ms: None, ..former.unwrap_or(fresh) };
        let mut writer = Self { next: 1, note, is_lost: false, ahead: 0, last: None, settings };
        if !is_new {
            // From now on by this node's clock: it is the one that will say when the recording ends.
            writer.note.began_ms = began_by(now_ms, writer.note.began_ms, ran_ms);
            writer.write_note().await;
            writer.resume(now_ms).await;
        } else if is_late {
            writer.resume(now_ms).await;
        }
        writer
    }

    /// Goes on with what a former run of this machine's had on the disk, right behind what it had written and in its name: the
    /// next run finds what is left if this one ends, and an heir that writes itself in meanwhile stays the heir. None when
    /// another has taken the recording up since, or it is finished: then nothing of it may be written.
    pub(super) async fn take_up(settings: Settings, about: &About, is_begun: bool) -> Option<Self> {
        let ticket = &about.ticket;
        let read = || Note::read(settings.objects.as_ref(), ticket);
        let Some(note) = settings.failing.insist("read the note", ticket, read).await else {
            let look = || compact::is_there(settings.objects.as_ref(), ticket);
            if is_begun || settings.failing.insist("look for the file", ticket, look).await {
                return None;
            }
            let settings = Settings { writer: about.writer.clone(), ..settings };
            return Some(Self::open(settings, ticket.clone(), about.began_ms, about.ran_ms).await);
        };
        let is_next = note.writer != about.writer;
        if is_next && !is_later(&about.writer, &note.writer) {
            return None;
        }
        let note = Note { writer: about.writer.clone(), ..note };
        let mut writer = Self { next: 1, note, is_lost: false, ahead: 0, last: None, settings };
        if is_next {
            writer.write_note().await;
        }
        writer.go_behind_the_last().await;
        writer.last = writer.last_part().await;
        Some(writer)
    }

    /// The part before the next one, if there is one.
    async fn last_part(&self) -> Option<Bytes> {
        let number = self.next.checked_sub(1).filter(|number| *number > 0)?;
        let (path, parts) = (layout::part(&self.note.ticket, number), self.settings.parts.as_ref());
        let read = || within(DEADLINE, async { parts.get(&path).await?.bytes().await });
        Some(self.settings.failing.insist("read a part", &self.note.ticket, read).await)
    }

    /// Writes what a piece says.
    pub(super) async fn take(&mut self, piece: Piece) {
        let last = self.last.take();
        let new = |sound: Bytes| if last.is_some_and(|last| last == sound) { Bytes::new() } else { sound };
        match piece {
            Piece::Sound(sound) => {
                let sound = self.unwritten(new(sound));
                self.put(sound).await;
            }
            Piece::Hole(bytes) => {
                let bytes = bytes - self.skip(bytes);
                self.put_silence(bytes).await;
            }
            Piece::Lost(ms) if self.ahead == 0 => self.miss(ms).await,
            Piece::Finish { ended_ms, rest } => {
                let rest = self.unwritten(new(rest));
                self.finish(ended_ms, rest).await;
            }
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
    async fn resume(&mut self, now_ms: u64) {
        loop {
            let written = self.go_behind_the_last().await;
            let lasted_ms = now_ms.saturating_sub(self.note.began_ms);
            let gap_ms = lasted_ms.saturating_sub(milliseconds(written)).min(LONGEST_GAP_MS);
            self.ahead = layout::bytes(ahead_ms(milliseconds(written), lasted_ms));
            tracing::info!(recording = self.note.ticket.recording, gap_ms, "a recording is taken up");
            // What is not filled here is found short at the end, and counted then.
            if self.fill(layout::bytes(gap_ms)).await != Put::Taken {
                return;
            }
        }
    }

    /// Goes on after the parts that are there; gives their length.
    async fn go_behind_the_last(&mut self) -> u64 {
        let ticket = &self.note.ticket;
        let parts = self
            .settings
            .failing
            .insist("list the parts", ticket, || parts::list(self.settings.objects.as_ref(), ticket))
            .await;
        self.next = parts.last().map_or(1, |part| part.number + 1);
        parts.iter().map(|part| part.bytes).sum()
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
        self.note_down().await;
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

    /// How much of the next so many bytes is left out.
    fn skip(&mut self, bytes: u64) -> u64 {
        let skipped = bytes.min(self.ahead);
        self.ahead -= skipped;
        skipped
    }

    fn unwritten(&mut self, bytes: Bytes) -> Bytes {
        let skipped = self.skip(bytes.len() as u64);
        bytes.slice(skipped as usize..)
    }

    async fn put(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        while self.try_put(&bytes).await == Put::Taken {
            self.go_behind_the_last().await;
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
                    let there = within(DEADLINE, async { parts.get(&path).await?.bytes().await }).await?;
                    Ok(there == *bytes)
                }
                Err(error) => Err(error),
            }
        };
        if self.settings.failing.insist("write a part", &self.note.ticket, put).await {
            self.next += 1;
            return Put::Done;
        }
        if self.is_still_ours().await { Put::Taken } else { Put::Lost }
    }

    /// Whether nobody has taken the recording up, or finished it, since this writer did.
    async fn is_still_ours(&mut self) -> bool {
        let ticket = &self.note.ticket;
        let found = self
            .settings
            .failing
            .insist("read the note", ticket, || Note::read(self.settings.objects.as_ref(), ticket))
            .await;
        if found.is_none_or(|note| note.writer != self.note.writer) {
            tracing::warn!(recording = self.note.ticket.recording, "a recording is written by another now");
            self.is_lost = true;
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

/// Whether a writer is a later run of the node that the other was. Then nobody took the recording up between them: the note
/// would say so.
fn is_later(writer: &str, other: &str) -> bool {
    let runs = run_of(writer).zip(run_of(other));
    runs.is_some_and(|((node, run), (other, before))| node == other && run > before)
}

/// Node and number of the run in a writer's name.
fn run_of(writer: &str) -> Option<(&str, u64)> {
    let (node, run) = writer.rsplit_once('/')?;
    Some((node, run.parse().ok()?))
}

/// By how much a recording is ahead of a writer that takes it up: one that was told to record before its process stood
/// still, and begins only now, after others went on. A little is two clocks.
fn ahead_ms(written_ms: u64, lasted_ms: u64) -> u64 {
    Some(written_ms.saturating_sub(lasted_ms)).filter(|ahead_ms| *ahead_ms > TOLERANCE_MS).unwrap_or_default()
}

/// When a recording that is taken up began, by the clock of the node that takes it up. Two nodes' wall clocks are the finer
/// measure, unless the time that control says it has been wanted shows that one of them is wrong.
fn began_by(now_ms: u64, noted_ms: u64, ran_ms: u64) -> u64 {
    let are_right = ran_ms == 0 || now_ms.saturating_sub(noted_ms).abs_diff(ran_ms) <= TOLERANCE_MS;
    if are_right && noted_ms <= now_ms { noted_ms } else { now_ms.saturating_sub(ran_ms) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
