//! A company's own prompts and music. What is uploaded is made into what callers hear once, here, and lies in the object
//! store from then on, where every media node finds it. Who uploaded or deleted what is kept in the audit log before it is
//! done.

mod missing;
mod shelf;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt as _;
use mangrove_proto::id::TenantId;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    audit::{self, Deed},
    time,
};
use crate::{access::Access, app::App, body::Named, refusal::Refusal};

pub(crate) use missing::missing;
use shelf::{Place, Shelf, Sound};

/// The largest file that is taken: more than an hour of MP3, six minutes of uncompressed stereo.
const LARGEST: usize = 64 << 20;
/// The longest sound: media nodes read no larger file than it makes, and no step waits longer for a prompt to end.
const LONGEST_SECONDS: u32 = 20 * 60;
/// Most sounds of a company.
const MOST: usize = 500;
/// Bytes of all sounds of a company, as callers hear them: more than two hours. Media nodes keep what they play in memory.
const MOST_BYTES: u64 = 128 << 20;
/// How many files are decoded at once: the node has calls to carry, too.
static TURNS: Semaphore = Semaphore::const_new(1);
/// How many are in memory at once, coming or waiting.
static BODIES: Semaphore = Semaphore::const_new(4);
/// No upload takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// All that was uploaded, by kind and name.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/sounds", tag = "configuration",
    params(("tenant" = String, Path)),
    responses((status = 200, body = Vec<Sound>), (status = 404, body = Refusal)))]
pub(crate) async fn list(State(app): State<Arc<App>>, access: Access) -> Result<Json<Vec<Sound>>, Refusal> {
    exists(&app, &access.tenant).await?;
    Shelf::of(&app, &access.tenant).all().await.map(Json)
}

/// One of them, as callers hear it: WAV, 8 kHz, 16 bits.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/sounds/{kind}/{name}", tag = "configuration",
    params(("tenant" = String, Path), ("kind" = String, Path, description = "prompt, music"), ("name" = String, Path)),
    responses((status = 200, content_type = "audio/wav", body = Vec<u8>), (status = 404, body = Refusal)))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, kind, name)): Named<(String, String, String)>,
) -> Result<Response, Refusal> {
    exists(&app, &access.tenant).await?;
    let (size, bytes) = Shelf::of(&app, &access.tenant).read(&Place::read(&kind, &name)?).await?;
    let headers = [
        (header::CONTENT_TYPE, "audio/wav".to_owned()),
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(bytes)).into_response())
}

/// Uploads one, or another in its place: WAV, MP3, or Ogg with Opus, up to 64 MiB and 20 minutes. New
/// callers hear a replaced one within two minutes.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/sounds/{kind}/{name}", tag = "configuration",
    params(("tenant" = String, Path), ("kind" = String, Path, description = "prompt, music"),
        ("name" = String, Path, description = "letters a-z, A-Z, digits, hyphens, underscores")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Sound), (status = 404, body = Refusal), (status = 413, body = Refusal),
        (status = 422, body = Refusal)))]
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, kind, name)): Named<(String, String, String)>,
    body: Body,
) -> Result<Json<Sound>, Refusal> {
    let place = Place::new(&kind, &name)?;
    exists(&app, &access.tenant).await?;
    let shelf = Shelf::of(&app, &access.tenant);
    let kept = taken(body).await?;
    let present = shelf.all().await?;
    let former = present.iter().find(|sound| place.is(sound));
    has_room(&present, &place, kept.len() as u64)?;
    exists(&app, &access.tenant).await?;
    let sound = Sound::of(&place, kept.len() as u64, time::now());
    let action = if former.is_some() { "update" } else { "create" };
    let deed = Deed::new(action, format!("sound/{place}"));
    audit::keep(&app, &access, deed.change(former.map(figures), Some(figures(&sound)))).await?;
    shelf.put(&place, kept).await?;
    Ok(Json(sound))
}

/// Deletes one. Where it is still named callers hear what is shipped under that name, or nothing.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/sounds/{kind}/{name}", tag = "configuration",
    params(("tenant" = String, Path), ("kind" = String, Path, description = "prompt, music"), ("name" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, kind, name)): Named<(String, String, String)>,
) -> Result<StatusCode, Refusal> {
    exists(&app, &access.tenant).await?;
    let (shelf, place) = (Shelf::of(&app, &access.tenant), Place::read(&kind, &name)?);
    let present = shelf.all().await?;
    let sound = present.iter().find(|sound| place.is(sound)).ok_or_else(|| Refusal::missing("such sound"))?;
    let deed = Deed::new("delete", format!("sound/{place}")).change(Some(figures(sound)), None);
    audit::keep(&app, &access, deed).await?;
    shelf.delete(&place).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes away all that a tenant has uploaded, which is gone itself.
pub(crate) async fn forget(app: &App, tenant: &TenantId) {
    if let Err(refusal) = Shelf::of(app, tenant).clear().await {
        tracing::warn!(%tenant, why = refusal.message, "a deleted tenant's sounds are still there: delete it again");
    }
}

/// The tenant's name is part of all keys: it must be one.
async fn exists(app: &App, tenant: &TenantId) -> Result<(), Refusal> {
    app.control.configuration(tenant.as_str()).await?;
    Ok(())
}

/// Whether there may be one more, or a larger one in its place.
fn has_room(present: &[Sound], place: &Place, bytes: u64) -> Result<(), Refusal> {
    let others = || present.iter().filter(|sound| !place.is(sound));
    if others().count() >= MOST {
        let message = format!("there are {MOST} sounds already, which is the most");
        return Err(unusable(message, "delete others first"));
    }
    if others().map(|sound| sound.bytes).sum::<u64>() + bytes > MOST_BYTES {
        let message = format!("all sounds together would have more than {} MiB", MOST_BYTES >> 20);
        return Err(unusable(message, "delete others first, or upload a shorter one"));
    }
    Ok(())
}

/// What callers will hear of a body, unless others are taken in already.
async fn taken(body: Body) -> Result<Vec<u8>, Refusal> {
    let _place = BODIES
        .try_acquire()
        .map_err(|_| Refusal::unavailable("other sounds are being uploaded now; try again in a minute"))?;
    let late =
        |_| Refusal::bad("the file did not come within two minutes", "send it again, or a smaller one");
    converted(tokio::time::timeout(PATIENCE, gathered(body)).await.map_err(late)??).await
}

/// The whole body, if it is no larger than a sound may be.
async fn gathered(body: Body) -> Result<Vec<u8>, Refusal> {
    let (mut file, mut parts) = (Vec::new(), body.into_data_stream());
    while let Some(part) = parts.next().await {
        let part =
            part.map_err(|error| Refusal::bad(format!("the file is cut off: {error}"), "send it again"))?;
        if file.len() + part.len() > LARGEST {
            let (status, action) = (StatusCode::PAYLOAD_TOO_LARGE, "send MP3 or Ogg, or a shorter file");
            let message = format!("the file has more than {} MiB", LARGEST >> 20);
            return Err(Refusal::new(status, "too-large", message, action));
        }
        file.extend_from_slice(&part);
    }
    Ok(file)
}

/// What callers will hear of it.
async fn converted(file: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    let turn = TURNS.acquire().await.map_err(|closed| Refusal::fault(&closed))?;
    let work = move || {
        // Until it is done, whether somebody still waits for it or not.
        let _turn = turn;
        mangrove_sound::read(&file, LONGEST_SECONDS).map(|samples| mangrove_sound::wav(&samples))
    };
    let action = "convert it with another program and upload it again";
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| unusable(format!("the file can't be taken: {error}"), action)),
        // The decoder fell over bytes that nobody thought of.
        Err(_) => Err(unusable("the file can't be decoded".to_owned(), action)),
    }
}

fn unusable(message: String, action: &str) -> Refusal {
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "unusable-sound", message, action)
}

fn figures(sound: &Sound) -> Value {
    json!({ "bytes": sound.bytes, "duration_ms": sound.duration_ms })
}
