//! The sound of past calls, streamed from the object store. Who listened to what is kept in the audit log, before the
//! first byte is sent.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use mangrove_proto::live::{CdrRecording, RecordingFormat};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, path::Path as Key};

use super::{
    audit::{self, Deed},
    cdrs, pieces,
    range::{self, Wanted},
};
use crate::{access::Access, app::App, body::Named, refusal::Refusal};

/// A player asks for many ranges of one recording: within this they are one line of the audit log.
const SITTING: u64 = 10 * 60 * 1000;

/// A recording, as its record's `format` and `channels` say: WAV (audio/wav) or Opus in Ogg (audio/ogg), caller left and agent
/// right or both in one channel.
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
    play(&app, &access, (method, &headers), recording, &format!("recording/{call}/{id}")).await
}

/// Answers with the sound; that somebody listens to it is noted before, as to this object.
pub(super) async fn play(
    app: &App,
    access: &Access,
    (method, headers): (Method, &HeaderMap),
    recording: &CdrRecording,
    object: &str,
) -> Result<Response, Refusal> {
    let key = Key::parse(&recording.object).map_err(|e| Refusal::fault(&e))?;
    let about = app.objects.head(&key).await?;
    let wanted = wanted(headers, recording, about.size);
    if method == Method::HEAD {
        return send(None, &about, recording, wanted).await;
    }
    if wanted != Wanted::Beyond {
        audit::keep(app, access, Deed::new("listen", object.to_owned()).once_in(SITTING)).await?;
    }
    send(Some(app.objects.clone()), &about, recording, wanted).await
}

/// A range is asked of one version of an object; of another, all is sent.
fn wanted(headers: &HeaderMap, recording: &CdrRecording, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match text(header::IF_RANGE) {
        Some(version) if version != tag(recording) => Wanted::Whole,
        _ => range::read(text(header::RANGE), size),
    }
}

/// With the bytes of `objects`; without them where only the headers are asked for.
async fn send(
    objects: Option<Arc<dyn ObjectStore>>,
    about: &ObjectMeta,
    recording: &CdrRecording,
    wanted: Wanted,
) -> Result<Response, Refusal> {
    let size = about.size;
    let (status, range) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Beyond => {
            let size = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, size).into_response());
        }
    };
    let length = range.end - range.start;
    let body = match objects {
        Some(objects) => Body::from_stream(pieces::opened(objects, about, range.clone()).await?),
        None => Body::empty(),
    };
    let headers = [
        (header::CONTENT_TYPE, kind(recording).to_owned()),
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

fn kind(recording: &CdrRecording) -> &'static str {
    match recording.format {
        RecordingFormat::Wav => "audio/wav",
        RecordingFormat::Opus => "audio/ogg; codecs=opus",
    }
}

/// Hashes are hexadecimal: nothing in them needs quoting.
fn tag(recording: &CdrRecording) -> String {
    let hash: String = recording.sha256.chars().filter(char::is_ascii_hexdigit).collect();
    format!("\"{hash}\"")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_proto::live::RecordingChannels;
    use object_store::memory::InMemory;

    use super::*;

    /// The object is not there: who reads it is told so.
    #[tokio::test]
    async fn who_asks_for_the_headers_only_has_nothing_read() {
        let recording = CdrRecording {
            id: "1".into(),
            object: "acme/r.wav".into(),
            duration_ms: 1,
            bytes: 10,
            missing_ms: 0,
            sha256: "abc".into(),
            marks: Vec::new(),
            format: RecordingFormat::default(),
            channels: RecordingChannels::default(),
        };
        let objects = InMemory::new();
        objects.put(&"acme/r.wav".into(), "0123456789".into()).await.unwrap();
        let about = objects.head(&"acme/r.wav".into()).await.unwrap();
        let head = send(None, &about, &recording, Wanted::Part(2..6)).await.unwrap();
        assert_eq!(head.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(head.headers()[header::CONTENT_LENGTH], "4");
        assert_eq!(head.headers()[header::CONTENT_RANGE], "bytes 2-5/10");
        let empty: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        assert!(send(Some(empty), &about, &recording, Wanted::Whole).await.is_err());
    }
}
