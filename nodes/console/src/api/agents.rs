//! Agents, and the states they choose.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use mangrove_proto::{
    control::{AgentCommand, Author},
    id::EmployeeId,
    live::{Agent, Call},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::live::picture;
use crate::{
    access::{Access, Scope},
    app::App,
    body::{Body, Named},
    refusal::Refusal,
};

/// Agents in sight, with their states.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/agents", tag = "live", params(("tenant" = String, Path)),
    responses((status = 200, body = Vec<Agent>)))]
pub(crate) async fn list(State(app): State<Arc<App>>, access: Access) -> Result<Json<Vec<Agent>>, Refusal> {
    Ok(Json(picture(&app, &access, &access.scope).await?.0.agents))
}

/// One agent.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/agents/{id}", tag = "live",
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Agent), (status = 404, body = Refusal)))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, id)): Named<(String, String)>,
) -> Result<Json<Agent>, Refusal> {
    find(&app, &access, &id).await.map(Json)
}

async fn find(app: &App, access: &Access, id: &str) -> Result<Agent, Refusal> {
    let (live, _) = picture(app, access, &access.scope).await?;
    let agent = live.agents.into_iter().find(|agent| agent.id.as_str() == id);
    agent.ok_or_else(|| Refusal::missing(&format!("agent {id}")))
}

/// One's own picture.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Own {
    /// None: the employee takes no calls.
    agent: Option<Agent>,
    calls: Vec<Call>,
    /// Resume the event stream from here.
    event: u64,
    as_of: u64,
}

/// Your own state and calls.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/agents/me", tag = "live", params(("tenant" = String, Path)),
    responses((status = 200, body = Own)))]
pub(crate) async fn me(State(app): State<Arc<App>>, access: Access) -> Result<Json<Own>, Refusal> {
    let own = access.person()?.login.employee.clone();
    let (mut live, _) = picture(&app, &access, &Scope::Own(own)).await?;
    Ok(Json(Own { agent: live.agents.pop(), calls: live.calls, event: live.event, as_of: live.as_of }))
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Wish {
    /// `available`, `break`, `offline`, `wrap-up-end`.
    state: String,
    /// Why, for a break: "lunch".
    #[serde(default)]
    reason: String,
    /// Who numbers: drawn by chance once, by a page or a program; 0: does not.
    #[serde(default)]
    asker: u64,
    /// Rises with each wish of this asker for an agent. A wish that is sent again with its number counts once; one that
    /// arrives when a later one was granted is refused (409).
    #[serde(default)]
    number: u64,
}

const STATES: [&str; 4] = ["available", "break", "offline", "wrap-up-end"];

/// Changes an agent's state; `me` is yourself.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/agents/{id}/state", tag = "live", request_body = Wish,
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 409, body = Refusal),
        (status = 422, body = Refusal)))]
pub(crate) async fn set_state(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, id)): Named<(String, String)>,
    Body(wish): Body<Wish>,
) -> Result<StatusCode, Refusal> {
    let employee = whom(&app, &access, &id).await?;
    if !STATES.contains(&wish.state.as_str()) || wish.reason.chars().count() > 64 {
        let message = format!("state `{}` or its reason is not allowed", wish.state.escape_debug());
        let action = format!("take one of {} and a reason of up to 64 letters", STATES.join(", "));
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", message, action));
    }
    let command = AgentCommand {
        author: Some(Author { asker: wish.asker, number: wish.number, ..access.author }),
        tenant: access.tenant.to_string(),
        employee: employee.to_string(),
        state: wish.state,
        reason: wish.reason,
    };
    app.control.command_agent(command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Oneself, or an agent in sight.
async fn whom(app: &App, access: &Access, id: &str) -> Result<EmployeeId, Refusal> {
    if id == "me" {
        return Ok(access.person()?.login.employee.clone());
    }
    let own = access.who.person().map(|person| &person.login.employee);
    match own.filter(|own| own.as_str() == id) {
        Some(own) => Ok(own.clone()),
        None => find(app, access, id).await.map(|agent| agent.id),
    }
}
