//! From parts to one file. Each step can be repeated: the file is written whole, then the note says so, then the
//! parts go, then it is reported, then the note goes. A recording that never filled a part is a file at once.

use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use mangrove_objects::deletion;
use mangrove_sound::kept;
use object_store::{Error, ObjectStore, ObjectStoreExt, Result, WriteMultipart};
use sha2::{Digest, Sha256};

use super::{
    Settings,
    layout::{self, LONGEST_GAP_MS, SPARE_MS, milliseconds},
    making::{self, Making},
    open::{Finished, Note, Ticket},
    parts::{self, Part},
    store::{DEADLINE, Failing, next, within},
};

/// Uploads of one file at the same time.
const UPLOADS: usize = 4;
/// Parts that are read ahead.
const AHEAD: usize = 8;
/// The store may take this long to make the file of what was uploaded: it is hours of sound at most.
const COMPLETES: Duration = Duration::from_secs(300);

/// Finishes a recording whose parts are all written, however often the store fails.
pub(super) async fn finish(settings: &Settings, note: Note) {
    let objects = settings.objects.as_ref();
    let ticket = note.ticket.clone();
    let Some(note) = joined(objects, &settings.failing, note).await else {
        tracing::warn!(recording = ticket.recording, "a recording was put together by another");
        return;
    };
    settings.failing.insist("remove the parts", &ticket, || remove_parts(objects, &ticket)).await;
    report(settings, &note).await;
}

/// Finishes a recording of which nothing but the note is in the store: this is all its sound.
pub(super) async fn finish_at_once(settings: &Settings, mut note: Note, sound: Bytes) {
    let objects = settings.objects.as_ref();
    let make = || making::whole(note.ticket.form(), sound.clone());
    let file = settings.failing.insist("make the file", &note.ticket, make).await;
    note.finished = Some(Finished::of(&file));
    let path = layout::object(&note.ticket);
    let put = || async { within(DEADLINE, objects.put(&path, file.clone().into())).await.map(drop) };
    settings.failing.insist("write the file", &note.ticket, put).await;
    report(settings, &note).await;
}

/// Tells control of a file whose note is gone: the node that finished it died, or lost its say, before control had heard.
pub(super) async fn report_again(settings: &Settings, ticket: &Ticket) -> Result<()> {
    let objects = settings.objects.as_ref();
    if is_there(objects, ticket).await? {
        let note = with_file(objects, Note::new(ticket.clone(), 0)).await?;
        note.fact().into_iter().for_each(|fact| settings.outbox.post(&ticket.owner(), fact));
    }
    Ok(())
}

/// Tells control of a whole file, and forgets the recording.
async fn report(settings: &Settings, note: &Note) {
    let (objects, ticket) = (settings.objects.as_ref(), &note.ticket);
    if let Some(fact) = note.fact() {
        settings.outbox.post(&ticket.owner(), fact);
    }
    settings.failing.insist("remove the note", ticket, || remove_note(objects, ticket)).await;
}

/// The note of the whole file, made now or found. None when another has done all that.
async fn joined(objects: &dyn ObjectStore, failing: &Failing, mut note: Note) -> Option<Note> {
    if note.finished.is_some() {
        return Some(note);
    }
    let ticket = note.ticket.clone();
    let attempt = || put_together(objects, &note);
    let made = failing.insist("put the file together", &ticket, attempt).await;
    match made {
        Some((finished, short_ms)) => {
            note.finished = Some(finished);
            note.missing_ms += short_ms;
            failing.insist("write the note", &ticket, || note.write(objects)).await;
            Some(note)
        }
        None => {
            let found = failing.insist("read the note", &ticket, || Note::read(objects, &ticket)).await?;
            Some(failing.insist("read the file", &ticket, || with_file(objects, found.clone())).await)
        }
    }
}

/// The file, and how many milliseconds it lacked of the length that the recording had: they are silence at its end. None when
/// another has made it. That one takes the parts away: each attempt lists them anew, and looks for that one after that.
async fn put_together(objects: &dyn ObjectStore, note: &Note) -> Result<Option<(Finished, u64)>> {
    let parts = parts::list(objects, &note.ticket).await?;
    if is_made(objects, &note.ticket).await? {
        return Ok(None);
    }
    let short_ms = note.shortage_ms(parts.iter().map(|part| part.bytes).sum());
    let silence = layout::bytes(short_ms.min(LONGEST_GAP_MS));
    let finished = write(objects, &note.ticket, &parts, silence).await?;
    Ok(finished.map(|finished| (finished, short_ms)))
}

/// Whether the whole file is there by what is known in the store.
async fn is_made(objects: &dyn ObjectStore, ticket: &Ticket) -> Result<bool> {
    match Note::read(objects, ticket).await? {
        Some(note) => Ok(note.finished.is_some()),
        None => is_there(objects, ticket).await,
    }
}

/// The note of a file that is there. One that does not say so is of a recording that became a file at once, whose node
/// died before it could report that.
async fn with_file(objects: &dyn ObjectStore, mut note: Note) -> Result<Note> {
    if note.finished.is_none() {
        let _turn = making::turn(note.ticket.form()).await;
        let path = layout::object(&note.ticket);
        let file = within(DEADLINE, async { objects.get(&path).await?.bytes().await }).await?;
        note.finished = Some(Finished::of(&file));
    }
    Ok(note)
}

impl Finished {
    /// Of a whole file.
    fn of(file: &[u8]) -> Self {
        let (bytes, duration_ms) = (file.len() as u64, kept::lasts_ms(file));
        Self { bytes, duration_ms, sha256: hex::encode(Sha256::digest(file)) }
    }
}

impl Note {
    /// How much shorter than the recording's time so many bytes of sound are.
    pub(super) fn shortage_ms(&self, bytes: u64) -> u64 {
        let Some(ended_ms) = self.ended_ms else { return 0 };
        let short_ms = ended_ms.saturating_sub(self.began_ms).saturating_sub(milliseconds(bytes));
        if short_ms > SPARE_MS { short_ms } else { 0 }
    }
}

/// Writes the file. None when there is nothing to write but a file: an empty one never takes a good one's place.
async fn write(
    objects: &dyn ObjectStore,
    ticket: &Ticket,
    parts: &[Part],
    silence: u64,
) -> Result<Option<Finished>> {
    if parts.is_empty() && is_there(objects, ticket).await? {
        return Ok(None);
    }
    let _turn = making::turn(ticket.form()).await;
    let upload = within(DEADLINE, objects.put_multipart(&layout::object(ticket))).await?;
    let mut writer = WriteMultipart::new(upload);
    match copy(objects, ticket, parts, silence, &mut writer).await {
        Ok(finished) => within(COMPLETES, writer.finish()).await.map(|_| Some(finished)),
        Err(error) => {
            // The upload's remains are the store's to clean up if even this fails.
            let _ = within(DEADLINE, writer.abort()).await;
            Err(error)
        }
    }
}

/// Whether the recording's file is in the store.
async fn is_there(objects: &dyn ObjectStore, ticket: &Ticket) -> Result<bool> {
    match within(DEADLINE, objects.head(&layout::object(ticket))).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the recording was whole already: its file is there, or somebody has deleted it.
pub(super) async fn is_done(objects: &dyn ObjectStore, ticket: &Ticket) -> Result<bool> {
    let is_deleted = deletion::is_deleted(objects, &ticket.tenant, &ticket.recording);
    Ok(within(DEADLINE, is_deleted).await? || is_there(objects, ticket).await?)
}

/// Forgets a recording that was not to be begun.
pub(super) async fn remove_note(objects: &dyn ObjectStore, ticket: &Ticket) -> Result<()> {
    remove(objects, layout::note(ticket)).await
}

async fn copy(
    objects: &dyn ObjectStore,
    ticket: &Ticket,
    parts: &[Part],
    silence: u64,
    writer: &mut WriteMultipart,
) -> Result<Finished> {
    let data = parts.iter().map(|part| part.bytes).sum::<u64>() + silence;
    let mut making = Making::new(ticket.form(), data)?;
    let mut file = Upload { writer, hash: Sha256::new(), bytes: 0 };
    let sound = stream::iter(parts).map(|part| fetch(objects, ticket, part)).buffered(AHEAD);
    let mut all = sound.chain(stream::iter(parts::silence(silence)).map(Ok)).boxed();
    while let Some(sound) = next(&mut all).await? {
        let (goes_on, made) = making.add(sound).await?;
        making = goes_on;
        file.put(made).await?;
    }
    file.put(making.finish().await?).await?;
    let sha256 = hex::encode(file.hash.finalize());
    Ok(Finished { bytes: file.bytes, duration_ms: milliseconds(data), sha256 })
}

/// A file on its way into the store.
struct Upload<'w> {
    writer: &'w mut WriteMultipart,
    hash: Sha256,
    bytes: u64,
}

impl Upload<'_> {
    async fn put(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.hash.update(&bytes);
        self.bytes += bytes.len() as u64;
        within(DEADLINE, self.writer.wait_for_capacity(UPLOADS)).await?;
        self.writer.put(bytes);
        Ok(())
    }
}

/// A part, of the length that the header promises.
async fn fetch(objects: &dyn ObjectStore, ticket: &Ticket, part: &Part) -> Result<Bytes> {
    let path = layout::part(ticket, part.number);
    let bytes = within(DEADLINE, async { objects.get(&path).await?.bytes().await }).await?;
    if bytes.len() as u64 != part.bytes {
        let why = format!("{path} has {} bytes, not {}", bytes.len(), part.bytes);
        return Err(Error::Generic { store: "recordings", source: why.into() });
    }
    Ok(bytes)
}

pub(super) async fn remove_parts(objects: &dyn ObjectStore, ticket: &Ticket) -> Result<()> {
    let parts = parts::list(objects, ticket).await?;
    let paths: Vec<_> = parts.iter().map(|part| Ok(layout::part(ticket, part.number))).collect();
    let mut removals = objects.delete_stream(stream::iter(paths).boxed());
    while let Some(outcome) = within(DEADLINE, async { Ok(removals.next().await) }).await? {
        is_gone(outcome.map(drop))?;
    }
    Ok(())
}

async fn remove(objects: &dyn ObjectStore, path: object_store::path::Path) -> Result<()> {
    is_gone(within(DEADLINE, objects.delete(&path)).await)
}

/// What was gone already is removed, too.
fn is_gone(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(Error::NotFound { .. }) => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
