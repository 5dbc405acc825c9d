//! Recordings that nobody finishes: their node died and the call did not come back. Whoever finds one that was left
//! alone for long enough puts it together and reports it.

use std::time::Duration;

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{
    Settings, compact, layout,
    open::{Note, Ticket},
    writer,
};
use crate::clock::unix_us;

/// When a node looks first, and how often then.
pub(super) const FIRST: Duration = Duration::from_secs(60);
pub(super) const EVERY: Duration = Duration::from_secs(300);
/// A recording that runs gets a part every few seconds: this long without one means that nobody writes it.
const ABANDONED_MS: u64 = 180_000;

/// Looks once. `open` are those that this node writes.
pub(super) async fn run(settings: Settings, open: Vec<Ticket>) {
    match abandoned(settings.objects.as_ref(), &open, unix_us() / 1000).await {
        Ok(notes) => {
            for note in notes {
                tracing::info!(recording = note.ticket.recording, "an abandoned recording is put together");
                compact::finish(&settings, note).await;
            }
        }
        Err(error) => tracing::warn!(%error, "abandoned recordings could not be looked for"),
    }
}

/// The notes of recordings that were left alone.
async fn abandoned(
    objects: &dyn ObjectStore,
    open: &[Ticket],
    now_ms: u64,
) -> object_store::Result<Vec<Note>> {
    let mut notes = Vec::new();
    let found = objects.list(Some(&layout::notes())).try_collect::<Vec<_>>().await?;
    for meta in found {
        let touched = meta.last_modified.timestamp_millis().max(0) as u64;
        if now_ms.saturating_sub(touched) < ABANDONED_MS {
            continue;
        }
        let bytes = objects.get(&meta.location).await?.bytes().await?;
        let Some(note) = Note::parse(&bytes) else { continue };
        if open.contains(&note.ticket) {
            continue;
        }
        let parts = writer::list(objects, &note.ticket).await?;
        let last = parts.iter().map(|part| part.written_ms).max().unwrap_or(0);
        if now_ms.saturating_sub(last) >= ABANDONED_MS {
            notes.push(note);
        }
    }
    Ok(notes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    fn ticket(recording: &str) -> Ticket {
        Ticket {
            group: 1,
            tenant: "acme".into(),
            session: "call".into(),
            recording: recording.into(),
            object: format!("acme/{recording}.wav"),
        }
    }

    #[tokio::test]
    async fn only_what_nobody_writes_is_taken() {
        let objects = InMemory::new();
        for recording in ["mine", "left"] {
            let note = Note { ticket: ticket(recording), began_ms: 0, missing_ms: 0, finished: None };
            note.write(&objects).await.unwrap();
            objects.put(&layout::part(&note.ticket, 1), vec![0; 4].into()).await.unwrap();
        }
        let now_ms = unix_us() / 1000;
        let found = async |after_ms: u64| {
            let notes = abandoned(&objects, &[ticket("mine")], now_ms + after_ms).await.unwrap();
            notes.into_iter().map(|note| note.ticket.recording).collect::<Vec<_>>()
        };
        assert!(found(ABANDONED_MS - 10_000).await.is_empty(), "it may still be written");
        assert_eq!(found(ABANDONED_MS + 10_000).await, ["left"]);
    }
}
