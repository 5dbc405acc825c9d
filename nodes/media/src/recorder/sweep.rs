//! Recordings that nobody finishes: their node died and the call did not come back. Whoever finds one that was left
//! alone for long enough puts it together and reports it.

use std::time::Duration;

use object_store::{ObjectStore, ObjectStoreExt};

use super::{
    Settings,
    claims::Claims,
    compact, judge, layout,
    open::{Note, Ticket},
    parts::{self, Part},
    store::{DEADLINE, gathered, within},
};

/// When a node looks first, and how often then.
pub(super) const FIRST: Duration = Duration::from_secs(60);
pub(super) const EVERY: Duration = Duration::from_secs(300);
/// This long without a part means that nobody writes a recording: its node may be away from the store for hours and write
/// all that it has then. Control forgets the call after 24 h.
const ABANDONED_MS: u64 = 12 * 3_600_000;
/// After an outage this long without another part means that no node has any left on its disk that writes it now.
const CALM: Duration = Duration::from_secs(180);
/// So long where much is lacking: that may lie on the disk of a machine that is still to be started.
const LONG_CALM: Duration = Duration::from_secs(3_600);

/// Looks once, and leaves alone what this node itself works on.
pub(super) async fn run(settings: Settings, claims: Claims) {
    match look(settings.objects.as_ref()).await {
        Ok(tickets) => {
            for ticket in tickets {
                try_finish(&settings, &claims, &ticket).await;
            }
        }
        Err(error) => tracing::warn!(%error, "abandoned recordings could not be looked for"),
    }
}

/// Puts one together, unless somebody here works on it.
async fn try_finish(settings: &Settings, claims: &Claims, ticket: &Ticket) {
    if let Some(_claim) = claims.try_claim(ticket) {
        finish(settings, ticket, None).await;
    }
}

/// Finishes one whose call is over and whose node is gone, once nobody here works on it. While the store was away its node
/// may have kept some of it on its disk: what comes of that is waited for.
pub(super) async fn finish_left(settings: &Settings, claims: &Claims, ticket: &Ticket, ran_ms: Option<u64>) {
    let (mut before, mut calm): (Option<Vec<Part>>, Duration) = (None, Duration::ZERO);
    loop {
        let claim = claims.claim(ticket).await;
        let list = || parts::list(settings.objects.as_ref(), ticket);
        let now = settings.failing.insist("list the parts", ticket, list).await;
        let is_calm = match &before {
            None => settings.failing.is_calm(CALM),
            Some(before) => {
                calm = if *before == now { calm + CALM } else { Duration::ZERO };
                calm >= needed(settings, ticket, &now, ran_ms).await
            }
        };
        if is_calm {
            return finish(settings, ticket, ran_ms).await;
        }
        before = Some(now);
        // What waits on this node's own disk goes first.
        drop(claim);
        tokio::time::sleep(CALM).await;
    }
}

/// How long nothing may have come of a recording before it is put together after an outage. Nothing more comes of one that is
/// whole, nor of one whose writer noted its end.
async fn needed(settings: &Settings, ticket: &Ticket, parts: &[Part], ran_ms: Option<u64>) -> Duration {
    let read = || Note::read(settings.objects.as_ref(), ticket);
    let note = settings.failing.insist("read the note", ticket, read).await;
    let is_open = note.is_some_and(|note| note.finished.is_none() && note.ended_ms.is_none());
    let sound_ms = layout::milliseconds(parts.iter().map(|part| part.bytes).sum());
    if is_open && judge::lacks_much(ran_ms, sound_ms) { LONG_CALM } else { CALM }
}

/// Puts one together, if it is still to be done. Where it is known how long it ran and its writer did not note its end,
/// what it lacks of that is missing. One that is finished is reported once more then: who says its length still waits
/// for it.
async fn finish(settings: &Settings, ticket: &Ticket, ran_ms: Option<u64>) {
    let objects = settings.objects.as_ref();
    match settings.failing.insist("read the note", ticket, || Note::read(objects, ticket)).await {
        Some(note) => {
            tracing::info!(recording = ticket.recording, "an abandoned recording is put together");
            compact::finish(settings, note.ended_after(ran_ms)).await;
        }
        None if ran_ms.is_none() => {}
        None => {
            if let Err(error) = compact::report_again(settings, ticket).await {
                tracing::warn!(%error, recording = ticket.recording, "a file could not be read");
            }
        }
    }
}

async fn look(objects: &dyn ObjectStore) -> object_store::Result<Vec<Ticket>> {
    abandoned(objects, store_ms(objects).await?).await
}

/// What time it is by the clock that files are dated with: by this node's own, if that was set, a recording that another
/// node writes might look abandoned.
async fn store_ms(objects: &dyn ObjectStore) -> object_store::Result<u64> {
    let path = layout::clock();
    within(DEADLINE, objects.put(&path, bytes::Bytes::new().into())).await?;
    let meta = within(DEADLINE, objects.head(&path)).await?;
    Ok(meta.last_modified.timestamp_millis().max(0) as u64)
}

/// The recordings that were left alone.
async fn abandoned(objects: &dyn ObjectStore, now_ms: u64) -> object_store::Result<Vec<Ticket>> {
    let mut tickets = Vec::new();
    for meta in gathered(objects.list(Some(&layout::notes()))).await? {
        let touched = meta.last_modified.timestamp_millis().max(0) as u64;
        if now_ms.saturating_sub(touched) < ABANDONED_MS {
            continue;
        }
        let bytes = within(DEADLINE, async { objects.get(&meta.location).await?.bytes().await }).await?;
        let Some(Note { ticket, .. }) = Note::parse(&bytes) else { continue };
        let parts = parts::list(objects, &ticket).await?;
        let last = parts.iter().map(|part| part.written_ms).max().unwrap_or(0);
        if now_ms.saturating_sub(last) >= ABANDONED_MS {
            tickets.push(ticket);
        }
    }
    Ok(tickets)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
