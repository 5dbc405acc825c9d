//! Conferences in progress: who is in them, and what may be done there. What they are lies in the configuration.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use mangrove_proto::{
    control::CallCommand,
    id::{CallId, EmployeeId},
    live::{Call, Seat},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::live;
use crate::{
    access::Access,
    app::App,
    body::{Body, Named},
    refusal::Refusal,
};

/// A conference in which somebody is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Conference {
    name: String,
    /// Nobody else comes in but moderators.
    locked: bool,
    /// As far as they are in your sight, by when they came.
    people: Vec<Person>,
}

/// Somebody in a conference.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    #[schema(value_type = String)]
    call: CallId,
    caller: String,
    #[schema(value_type = Option<String>)]
    employee: Option<EmployeeId>,
    since: u64,
    /// They hear and are not heard.
    muted: bool,
    moderator: bool,
    /// They hear music until a moderator is there.
    waits: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ConferenceWish {
    /// Of a conference: `lock`, `unlock`, `end`. Of a call in one: `mute`, `unmute`, `remove`.
    action: String,
}

/// What may be done to a conference, and to somebody in it, with the commands for that.
const WHOLE: [(&str, &str); 3] =
    [("lock", "lock-conference"), ("unlock", "unlock-conference"), ("end", "end-conference")];
const ONE: [(&str, &str); 3] = [("mute", "mute"), ("unmute", "unmute"), ("remove", "hang-up")];

/// Conferences in progress.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/live/conferences", tag = "live",
    params(("tenant" = String, Path)), responses((status = 200, body = Vec<Conference>)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    access: Access,
) -> Result<Json<Vec<Conference>>, Refusal> {
    let (live, _) = live::picture(&app, &access, &access.scope).await?;
    Ok(Json(in_progress(live.calls)))
}

fn in_progress(calls: Vec<Call>) -> Vec<Conference> {
    let mut found: BTreeMap<String, Conference> = BTreeMap::new();
    for call in calls {
        let Some(Seat { name, since, muted, moderator, waits, locked }) = call.conference else { continue };
        let new = || Conference { name: name.clone(), locked, people: Vec::new() };
        let conference = found.entry(name.clone()).or_insert_with(new);
        let (call, caller, employee) = (call.id, call.caller, call.employee);
        conference.people.push(Person { call, caller, employee, since, muted, moderator, waits });
    }
    for conference in found.values_mut() {
        conference.people.sort_by_key(|person| (person.since, person.call));
    }
    found.into_values().collect()
}

/// Locks a conference, opens it again, or ends it with all its calls.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/live/conferences/{name}", tag = "live", request_body = ConferenceWish,
    params(("tenant" = String, Path), ("name" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn conduct(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, name)): Named<(String, String)>,
    Body(wish): Body<ConferenceWish>,
) -> Result<StatusCode, Refusal> {
    let action = action(&wish, &WHOLE)?;
    let (live, _) = live::picture(&app, &access, &access.scope).await?;
    let is_in = |call: &Call| call.conference.as_ref().is_some_and(|seat| seat.name == name);
    let call = live.calls.into_iter().find(is_in).ok_or_else(|| Refusal::missing("such conference"))?;
    command(&app, access, call.id, action).await
}

/// Mutes somebody in a conference, lets them be heard again, or removes them.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/calls/{id}/conference", tag = "live", request_body = ConferenceWish,
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn conduct_one(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, id)): Named<(String, String)>,
    Body(wish): Body<ConferenceWish>,
) -> Result<StatusCode, Refusal> {
    let action = action(&wish, &ONE)?;
    let call = live::call(&app, &access, &access.scope, &id).await?;
    let call = call.filter(|call| call.conference.is_some());
    let call = call.ok_or_else(|| Refusal::missing("such call in a conference"))?;
    command(&app, access, call.id, action).await
}

fn action<'a>(wish: &ConferenceWish, known: &[(&'a str, &'a str)]) -> Result<&'a str, Refusal> {
    let found = known.iter().find(|(name, _)| *name == wish.action).map(|(_, action)| *action);
    found.ok_or_else(|| {
        let message = format!("`{}` can't be done here", wish.action.escape_debug());
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let action = format!("take one of {}", names.join(", "));
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", message, action)
    })
}

async fn command(app: &App, access: Access, call: CallId, action: &str) -> Result<StatusCode, Refusal> {
    let (tenant, call, action) = (access.tenant.to_string(), call.to_string(), action.to_owned());
    let command = CallCommand { author: Some(access.author), tenant, call, action, ..CallCommand::default() };
    app.control.command_call(command).await?;
    Ok(StatusCode::NO_CONTENT)
}
