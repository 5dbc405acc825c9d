//! Messages that callers have left in boxes. What is said about one goes through control, which keeps them; their sound comes
//! from the object store, and who has heard it is kept in the audit log, as of recordings.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use mangrove_objects::{deletion, held};
use mangrove_proto::{
    control::MessageCommand,
    live::{CdrRecording, RecordingChannels, RecordingFormat},
    voicemail::{Mailbox, Message},
};

use super::recordings;
use crate::{access::Access, app::App, body::Named, refusal::Refusal};

/// The boxes in sight, each with its messages, the newest first.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/messages", tag = "messages", params(("tenant" = String, Path)),
    responses((status = 200, body = Vec<Mailbox>)))]
pub(crate) async fn list(State(app): State<Arc<App>>, access: Access) -> Result<Json<Vec<Mailbox>>, Refusal> {
    boxes(&app, &access).await.map(Json)
}

/// A message's sound as WAV: the caller is left, and right is silence. 404 also while it is on its way into the store.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/messages/{name}/{id}", tag = "messages",
    params(("tenant" = String, Path), ("name" = String, Path, description = "of the box"), ("id" = String, Path),
        ("Range" = Option<String>, Header)),
    responses((status = 200, content_type = "audio/wav", body = Vec<u8>), (status = 206, content_type = "audio/wav",
        body = Vec<u8>), (status = 404, body = Refusal), (status = 416)))]
pub(crate) async fn listen(
    State(app): State<Arc<App>>,
    access: Access,
    method: Method,
    Named((_tenant, name, id)): Named<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let message = find(&app, &access, &name, &id).await?;
    if !message.stored {
        return Err(Refusal::missing("sound of this message yet"));
    }
    let sound = sound(&message);
    recordings::play(&app, &access, (method, &headers), &sound, &format!("message/{name}/{id}")).await
}

/// Says that a message was heard: phones stop showing it as new.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/messages/{name}/{id}/heard", tag = "messages",
    params(("tenant" = String, Path), ("name" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal)))]
pub(crate) async fn hear(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, name, id)): Named<(String, String, String)>,
) -> Result<StatusCode, Refusal> {
    let message = find(&app, &access, &name, &id).await?;
    command(&app, &access, (&name, &message), "hear").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a message with its sound. 409: the recordings of its call are held.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/messages/{name}/{id}", tag = "messages",
    params(("tenant" = String, Path), ("name" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 409, body = Refusal)))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, name, id)): Named<(String, String, String)>,
) -> Result<StatusCode, Refusal> {
    let message = find(&app, &access, &name, &id).await?;
    let (tenant, call) = (access.tenant.as_str(), message.call.to_string());
    if held::held(&*app.objects, (tenant, &call)).await?.is_some() {
        return Err(are_held());
    }
    command(&app, &access, (&name, &message), "delete").await?;
    // What is not deleted now is deleted by whoever looks after old recordings.
    if message.stored
        && let Err(refusal) = drop_sound(&app, &access, &name, &message).await
    {
        tracing::warn!(%tenant, mailbox = %name, number = message.id, why = %refusal.message, "sound stays for now");
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn drop_sound(app: &App, access: &Access, name: &str, message: &Message) -> Result<(), Refusal> {
    let (call, sound) = (message.call.to_string(), [(message.recording.as_str(), message.object.as_str())]);
    if !deletion::delete(&*app.objects, (access.tenant.as_str(), &call), &sound).await? {
        return Err(are_held());
    }
    command(app, access, (name, message), "gone").await
}

fn are_held() -> Refusal {
    let (message, action) = ("the recordings of this call are held", "release them first");
    Refusal::new(StatusCode::CONFLICT, "held", message, action)
}

async fn boxes(app: &App, access: &Access) -> Result<Vec<Mailbox>, Refusal> {
    let mut boxes = app.control.voicemail(access.tenant.as_str()).await?;
    boxes.retain(|mailbox| access.scope.sees_box(mailbox));
    Ok(boxes)
}

/// A message in sight.
async fn find(app: &App, access: &Access, name: &str, id: &str) -> Result<Message, Refusal> {
    let mailbox = boxes(app, access).await?.into_iter().find(|mailbox| mailbox.name == name);
    let messages = mailbox.map(|mailbox| mailbox.messages).unwrap_or_default();
    let message = messages.into_iter().find(|message| message.id.to_string() == id);
    message.ok_or_else(|| Refusal::missing("such message"))
}

async fn command(
    app: &App,
    access: &Access,
    (name, message): (&str, &Message),
    action: &str,
) -> Result<(), Refusal> {
    let command = MessageCommand {
        author: Some(access.author.clone()),
        tenant: access.tenant.to_string(),
        mailbox: name.to_owned(),
        message: message.id,
        action: action.to_owned(),
    };
    Ok(app.control.command_message(command).await?)
}

fn sound(message: &Message) -> CdrRecording {
    CdrRecording {
        id: message.recording.clone(),
        object: message.object.clone(),
        duration_ms: message.duration_ms,
        bytes: 0,
        missing_ms: 0,
        sha256: message.sha256.clone(),
        marks: Vec::new(),
        format: RecordingFormat::default(),
        channels: RecordingChannels::default(),
    }
}
