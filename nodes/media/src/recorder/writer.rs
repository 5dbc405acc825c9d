//! One recording's way into the store: parts in order, each tried until it is there.

use bytes::Bytes;
use object_store::ObjectStoreExt;
use tokio::sync::{mpsc, oneshot};

use super::{
    Memory, Settings,
    claims::{Claim, Claims},
    compact,
    layout::{self, LONGEST_GAP_MS, milliseconds},
    open::{Note, Ticket},
    parts,
    store::{DEADLINE, insist, within},
};

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
}

/// How a recording begins.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) ticket: Ticket,
    /// Milliseconds since 1970.
    pub(super) began_ms: u64,
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
    let Beginning { ticket, began_ms, claim } = beginning;
    let _claim = match claim {
        Some(claim) => claim,
        None => claims.claim(&ticket).await,
    };
    let mut writer = Writer::open(settings, ticket, began_ms).await;
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Sound(bytes) => {
                let length = bytes.len();
                writer.put(bytes).await;
                memory.release(length);
            }
            Piece::Hole(bytes) => writer.fill(bytes).await,
            Piece::Lost(ms) => writer.miss(ms).await,
            Piece::Finish { ended_ms, rest } => {
                let length = rest.len();
                writer.finish(ended_ms, rest).await;
                memory.release(length);
                return;
            }
            Piece::Suspend(answer) => {
                let _ = answer.send(());
                return;
            }
        }
    }
}

impl Writer {
    /// Begins the recording, or finds what a former run left and fills the gap since then.
    async fn open(settings: Settings, ticket: Ticket, now_ms: u64) -> Self {
        let fresh = Note::new(ticket, now_ms);
        let former = insist("begin the note", &fresh.ticket, || fresh.begin(settings.parts.as_ref())).await;
        let is_new = former.is_none();
        let note = Note { finished: None, ended_ms: None, ..former.unwrap_or(fresh) };
        let mut writer = Self { next: 1, note, settings };
        if !is_new {
            writer.resume(now_ms).await;
        }
        writer
    }

    /// What is all at hand becomes a file at once. Else the end is noted first: whoever puts the parts together knows
    /// then how long the whole should be.
    async fn finish(mut self, ended_ms: u64, rest: Bytes) {
        self.note.ended_ms = Some(ended_ms);
        if self.next == 1 && self.note.shortage_ms(rest.len() as u64) == 0 {
            return compact::finish_at_once(&self.settings, self.note, rest).await;
        }
        if !rest.is_empty() {
            self.put(rest).await;
        }
        self.write_note().await;
        compact::finish(&self.settings, self.note).await;
    }

    async fn resume(&mut self, now_ms: u64) {
        let ticket = &self.note.ticket;
        let parts =
            insist("list the parts", ticket, || parts::list(self.settings.objects.as_ref(), ticket)).await;
        let written: u64 = parts.iter().map(|part| part.bytes).sum();
        self.next = parts.last().map_or(1, |part| part.number + 1);
        let lasted_ms = now_ms.saturating_sub(self.note.began_ms);
        let gap_ms = lasted_ms.saturating_sub(milliseconds(written));
        tracing::info!(recording = ticket.recording, gap_ms, "a recording goes on after a restart");
        // What is not filled here is found short at the end, and counted then.
        self.fill(layout::bytes(gap_ms.min(LONGEST_GAP_MS))).await;
    }

    async fn fill(&mut self, bytes: u64) {
        self.miss(milliseconds(bytes)).await;
        for piece in parts::silence(bytes) {
            self.put(piece).await;
        }
    }

    async fn miss(&mut self, ms: u64) {
        self.note.missing_ms += ms;
        self.write_note().await;
    }

    async fn put(&mut self, bytes: Bytes) {
        let path = layout::part(&self.note.ticket, self.next);
        let put = || async {
            within(DEADLINE, self.settings.parts.put(&path, bytes.clone().into())).await.map(drop)
        };
        insist("write a part", &self.note.ticket, put).await;
        self.next += 1;
    }

    async fn write_note(&self) {
        insist("write the note", &self.note.ticket, || self.note.write(self.settings.objects.as_ref())).await;
    }
}
