//! From parts to one WAV file. Each step can be repeated: the file is written whole, then the note says so, then the
//! parts go, then it is reported, then the note goes.

use futures::StreamExt;
use mangrove_rtp::{RATE, wav};
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};

use super::{
    Settings,
    layout::{self, milliseconds},
    open::{Finished, Note, Ticket},
    writer::{Part, insist, list},
};

/// Uploads of one file at the same time.
const CONCURRENCY: usize = 4;

/// Finishes a recording whose parts are all written, however often the store fails.
pub(super) async fn finish(settings: &Settings, mut note: Note) {
    let objects = settings.objects.as_ref();
    if note.finished.is_none() {
        note.finished =
            Some(insist("put the file together", &note.ticket, || write(objects, &note.ticket)).await);
        insist("write the note", &note.ticket, || note.write(objects)).await;
    }
    insist("remove the parts", &note.ticket, || remove_parts(objects, &note.ticket)).await;
    if let Some(fact) = note.fact() {
        settings.outbox.post(&note.ticket.owner(), fact);
    }
    insist("remove the note", &note.ticket, || remove(objects, layout::note(&note.ticket))).await;
}

async fn write(objects: &dyn ObjectStore, ticket: &Ticket) -> object_store::Result<Finished> {
    let parts = list(objects, ticket).await?;
    let upload = objects.put_multipart(&layout::object(ticket)).await?;
    let mut writer = WriteMultipart::new(upload);
    match copy(objects, ticket, &parts, &mut writer).await {
        Ok(finished) => writer.finish().await.map(|_| finished),
        Err(error) => {
            // The upload's remains are the store's to clean up if even this fails.
            let _ = writer.abort().await;
            Err(error)
        }
    }
}

async fn copy(
    objects: &dyn ObjectStore,
    ticket: &Ticket,
    parts: &[Part],
    writer: &mut WriteMultipart,
) -> object_store::Result<Finished> {
    let data: u64 = parts.iter().map(|part| part.bytes).sum();
    let header = wav::header(2, RATE, data);
    let mut hash = Sha256::new_with_prefix(header);
    writer.write(&header);
    for part in parts {
        let bytes = objects.get(&layout::part(ticket, part.number)).await?.bytes().await?;
        hash.update(&bytes);
        writer.wait_for_capacity(CONCURRENCY).await?;
        writer.put(bytes);
    }
    let bytes = data + wav::HEADER as u64;
    Ok(Finished { bytes, duration_ms: milliseconds(data), sha256: hex::encode(hash.finalize()) })
}

async fn remove_parts(objects: &dyn ObjectStore, ticket: &Ticket) -> object_store::Result<()> {
    let parts = list(objects, ticket).await?;
    let paths: Vec<_> = parts.iter().map(|part| Ok(layout::part(ticket, part.number))).collect();
    let mut removals = objects.delete_stream(futures::stream::iter(paths).boxed());
    while let Some(outcome) = removals.next().await {
        is_gone(outcome.map(drop))?;
    }
    Ok(())
}

async fn remove(objects: &dyn ObjectStore, path: object_store::path::Path) -> object_store::Result<()> {
    is_gone(objects.delete(&path).await)
}

/// What was gone already is removed, too.
fn is_gone(outcome: object_store::Result<()>) -> object_store::Result<()> {
    match outcome {
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        outcome => outcome,
    }
}
