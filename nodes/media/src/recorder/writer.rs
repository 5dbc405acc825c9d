//! One recording's way into the store: parts in order, each tried until it is there.

use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::sync::{mpsc, oneshot};

use super::{
    Memory, Settings, compact,
    layout::{self, milliseconds},
    open::{Note, Ticket},
};
use crate::{clock::unix_us, metrics::RECORDING_FAILURES};

/// What a writer is given, in order.
#[derive(Debug)]
pub(super) enum Piece {
    Sound(Bytes),
    /// So many bytes of sound were lost: they become silence.
    Hole(u64),
    Finish,
    /// Everything before this is in the store when it is answered.
    Suspend(oneshot::Sender<()>),
}

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// One attempt may take this long.
const DEADLINE: Duration = Duration::from_secs(30);
/// The longest gap that is filled with silence.
const LONGEST_GAP_MS: u64 = 600_000;
/// Silence in one part.
static ZEROS: [u8; 64_000] = [0; 64_000];

/// Repeats an attempt, slower and slower, until it succeeds.
pub(super) async fn insist<T, F>(what: &'static str, ticket: &Ticket, attempt: impl Fn() -> F) -> T
where
    F: Future<Output = object_store::Result<T>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let why = match tokio::time::timeout(DEADLINE, attempt()).await {
            Ok(Ok(value)) => return value,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        metrics::counter!(RECORDING_FAILURES).increment(1);
        tracing::warn!(what, recording = ticket.recording, why, "the object store failed, trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

struct Writer {
    settings: Settings,
    note: Note,
    next: u32,
}

/// Writes one recording until it is finished or its node stops.
pub(super) async fn run(
    settings: Settings,
    memory: Memory,
    ticket: Ticket,
    mut pieces: mpsc::UnboundedReceiver<Piece>,
) {
    let now_ms = unix_us() / 1000;
    let mut writer = Writer::open(settings, ticket, now_ms).await;
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Sound(bytes) => {
                let length = bytes.len();
                writer.put(bytes).await;
                memory.release(length);
            }
            Piece::Hole(bytes) => writer.fill(bytes).await,
            Piece::Finish => return compact::finish(&writer.settings, writer.note).await,
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
        let objects = &settings.objects;
        let former = insist("read the note", &ticket, || Note::read(objects.as_ref(), &ticket)).await;
        let is_new = former.is_none();
        let fresh = Note { ticket, began_ms: now_ms, missing_ms: 0, finished: None };
        let note = Note { finished: None, ..former.unwrap_or(fresh) };
        let mut writer = Self { next: 1, note, settings };
        if is_new {
            writer.write_note().await;
        } else {
            writer.resume(now_ms).await;
        }
        writer
    }

    async fn resume(&mut self, now_ms: u64) {
        let ticket = &self.note.ticket;
        let parts = insist("list the parts", ticket, || list(self.settings.objects.as_ref(), ticket)).await;
        let written: u64 = parts.iter().map(|part| part.bytes).sum();
        self.next = parts.last().map_or(1, |part| part.number + 1);
        let lasted_ms = now_ms.saturating_sub(self.note.began_ms);
        let gap_ms = lasted_ms.saturating_sub(milliseconds(written));
        tracing::info!(recording = ticket.recording, gap_ms, "a recording goes on after a restart");
        self.note.missing_ms += gap_ms;
        let gap = layout::bytes(gap_ms.min(LONGEST_GAP_MS));
        self.write_note().await;
        self.put_silence(gap).await;
    }

    async fn fill(&mut self, bytes: u64) {
        self.note.missing_ms += milliseconds(bytes);
        self.write_note().await;
        self.put_silence(bytes).await;
    }

    async fn put_silence(&mut self, mut bytes: u64) {
        while bytes > 0 {
            let length = bytes.min(ZEROS.len() as u64);
            self.put(Bytes::from_static(&ZEROS[..length as usize])).await;
            bytes -= length;
        }
    }

    async fn put(&mut self, bytes: Bytes) {
        let path = layout::part(&self.note.ticket, self.next);
        insist("write a part", &self.note.ticket, || self.settings.objects.put(&path, bytes.clone().into()))
            .await;
        self.next += 1;
    }

    async fn write_note(&self) {
        insist("write the note", &self.note.ticket, || self.note.write(self.settings.objects.as_ref())).await;
    }
}

/// One part in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) bytes: u64,
    /// Milliseconds since 1970.
    pub(super) written_ms: u64,
}

/// The parts of a recording, in order.
pub(super) async fn list(objects: &dyn ObjectStore, ticket: &Ticket) -> object_store::Result<Vec<Part>> {
    let prefix = layout::parts(ticket);
    let found = objects.list(Some(&prefix)).try_collect::<Vec<_>>().await?;
    let mut parts: Vec<Part> = found
        .into_iter()
        .filter_map(|meta| {
            let written_ms = meta.last_modified.timestamp_millis().max(0) as u64;
            Some(Part { number: layout::number(&meta.location)?, bytes: meta.size, written_ms })
        })
        .collect();
    parts.sort_unstable_by_key(|part| part.number);
    Ok(parts)
}
