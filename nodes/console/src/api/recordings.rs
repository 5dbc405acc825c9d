//! The sound of past calls, streamed from the object store. Who listened to what is kept in the audit log, before the
//! first byte is sent.

use std::{
    ops::Range,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use mangrove_history::{Audit, Batch};
use mangrove_proto::live::CdrRecording;
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path as Key};

use super::{
    cdrs,
    range::{self, Wanted},
};
use crate::{access::Access, app::App, body::Named, refusal::Refusal};

/// A player asks for many ranges of one recording: within this they are one line of the audit log.
const SITTING: u64 = 10 * 60 * 1000;
/// Bytes that are asked of the store at once.
const PIECE: u64 = 4 << 20;

/// A recording as WAV, caller left and agent right.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/recordings/{call}/{id}", tag = "calls",
    params(("tenant" = String, Path), ("call" = String, Path), ("id" = String, Path),
        ("Range" = Option<String>, Header)),
    responses((status = 200, content_type = "audio/wav", body = Vec<u8>), (status = 206, content_type = "audio/wav",
        body = Vec<u8>), (status = 404, body = Refusal), (status = 416)))]
pub(crate) async fn listen(
    State(app): State<Arc<App>>,
    access: Access,
    method: Method,
    Named((_tenant, call, id)): Named<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let cdr = cdrs::find(&app, &access, &access.scope, cdrs::call_id(&call)?).await?;
    let recording = cdr.recordings.iter().find(|recording| recording.id == id);
    let recording = recording.ok_or_else(|| Refusal::missing("recording"))?;
    let key = Key::parse(&recording.object).map_err(|e| Refusal::fault(&e))?;
    let size = app.objects.head(&key).await?.size;
    let wanted = wanted(&headers, recording, size);
    if method != Method::HEAD && wanted != Wanted::Beyond {
        audit(&app, &access, &format!("recording/{call}/{id}")).await?;
    }
    send(app.objects.clone(), key, recording, wanted, size).await
}

/// A range is asked of one version of an object; of another, all is sent.
fn wanted(headers: &HeaderMap, recording: &CdrRecording, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match text(header::IF_RANGE) {
        Some(version) if version != tag(recording) => Wanted::Whole,
        _ => range::read(text(header::RANGE), size),
    }
}

async fn send(
    objects: Arc<dyn ObjectStore>,
    key: Key,
    recording: &CdrRecording,
    wanted: Wanted,
    size: u64,
) -> Result<Response, Refusal> {
    let (status, range) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Beyond => {
            let size = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, size).into_response());
        }
    };
    let length = range.end - range.start;
    let mut pieces = pieces(objects, key, range.clone()).boxed();
    // What the store refuses is told in the status.
    let first = pieces.next().await.transpose()?;
    let body = Body::from_stream(stream::iter(first.map(Ok)).chain(pieces));
    let headers = [
        (header::CONTENT_TYPE, "audio/wav".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, tag(recording)),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    let mut response = (status, headers, body).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        let value = HeaderValue::from_str(&range).map_err(|e| Refusal::fault(&e))?;
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    Ok(response)
}

/// Each is read when the listener has taken the one before: the store's answer to one request has a deadline, and a listener
/// may take his time.
fn pieces(
    objects: Arc<dyn ObjectStore>,
    key: Key,
    range: Range<u64>,
) -> impl Stream<Item = object_store::Result<Bytes>> + Send + 'static {
    let Range { start, end } = range;
    stream::iter((start..end).step_by(PIECE as usize)).then(move |at| {
        let (objects, key) = (objects.clone(), key.clone());
        async move { objects.get_range(&key, at..end.min(at + PIECE)).await }
    })
}

/// Hashes are hexadecimal: nothing in them needs quoting.
fn tag(recording: &CdrRecording) -> String {
    let hash: String = recording.sha256.chars().filter(char::is_ascii_hexdigit).collect();
    format!("\"{hash}\"")
}

async fn audit(app: &App, access: &Access, object: &str) -> Result<(), Refusal> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = u64::try_from(since.as_millis()).unwrap_or_default();
    let line = Audit {
        key: format!("{}/listen/{}/{object}/{}", access.tenant, access.author.name, at / SITTING),
        tenant: access.tenant.clone(),
        at,
        author: access.author.name.clone(),
        address: access.author.address.clone(),
        object: object.to_owned(),
        action: "listen".into(),
        before: None,
        after: None,
    };
    Ok(app.history.write(&Batch { audits: vec![line], ..Batch::default() }).await?)
}
