//! One recording's way into the store: parts in order, each tried until it is there.

use bytes::Bytes;
use object_store::{Error, ObjectStoreExt, PutMode};
use tokio::sync::{mpsc, oneshot};

use super::{
    Memory, Settings,
    claims::{Claim, Claims},
    compact,
    layout::{self, LONGEST_GAP_MS, SPARE_MS, milliseconds},
    open::{Note, Ticket},
    parts,
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
    /// Everything before this is in the store when it is answered.
    Suspend(oneshot::Sender<()>),
}

struct Writer {
    settings: Settings,
    note: Note,
    next: u32,
    /// Another has taken the recording up: nothing of this one's is written any more.
    is_lost: bool,
    /// Bytes of this one's sound that others have written already: those are left out.
    ahead: u64,
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
    mut pieces: mpsc::UnboundedReceiver<Piece>,
) {
    let Beginning { ticket, began_ms, ran_ms, claim } = beginning;
    settings.gate.opened().await;
    let _claim = match claim {
        Some(claim) => claim,
        None => claims.claim(&ticket).await,
    };
    let mut writer = Writer::open(settings, ticket, began_ms, ran_ms).await;
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Sound(bytes) => {
                let length = bytes.len();
                let bytes = writer.unwritten(bytes);
                writer.put(bytes).await;
                memory.release(length);
            }
            Piece::Hole(bytes) => {
                let bytes = bytes - writer.skip(bytes);
                writer.put_silence(bytes).await;
            }
            Piece::Lost(ms) if writer.ahead == 0 => writer.miss(ms).await,
            Piece::Lost(_) => {}
            Piece::Finish { ended_ms, rest } => {
                let length = rest.len();
                let rest = writer.unwritten(rest);
                writer.finish(ended_ms, rest).await;
                memory.release(length);
                return;
            }
            Piece::Suspend(answer) => {
                writer.leave().await;
                let _ = answer.send(());
                return;
            }
        }
    }
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
        let mut writer = Self { next: 1, note, is_lost: false, ahead: 0, settings };
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

    /// What is all at hand becomes a file at once. Else the end is noted first: whoever puts the parts together knows
    /// then how long the whole should be.
    async fn finish(mut self, ended_ms: u64, rest: Bytes) {
        if !self.is_still_ours().await {
            return self.leave().await;
        }
        self.note.ended_ms = Some(ended_ms);
        if self.next == 1 && self.note.shortage_ms(rest.len() as u64) == 0 {
            return compact::finish_at_once(&self.settings, self.note, rest).await;
        }
        if !rest.is_empty() {
            self.put(rest).await;
        }
        if self.is_lost {
            return;
        }
        self.write_note().await;
        compact::finish(&self.settings, self.note).await;
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
                Err(Error::AlreadyExists { .. }) => Ok(parts.get(&path).await?.bytes().await? == *bytes),
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
    async fn leave(&mut self) {
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
