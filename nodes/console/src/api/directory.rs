//! Whom one may send a call to: all colleagues, and whether they are free.

use std::sync::Arc;

use axum::{Json, extract::State};
use mangrove_proto::live::{Agent, AgentState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{access::Access, app::App, refusal::Refusal};

/// A colleague, as all others may see them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Colleague {
    id: String,
    name: String,
    extension: String,
    /// `offline`, too, where none of their phones is registered.
    state: AgentState,
}

impl From<Agent> for Colleague {
    fn from(agent: Agent) -> Self {
        let is_there = agent.reachable || agent.call.is_some();
        Self {
            id: agent.id.to_string(),
            name: agent.name,
            extension: agent.extension,
            state: if is_there { agent.state } else { AgentState::Offline },
        }
    }
}

/// All employees of the company with their extensions and what they do now; with whom, and why, is not in it.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/directory", tag = "live", params(("tenant" = String, Path)),
    responses((status = 200, body = Vec<Colleague>), (status = 403, body = Refusal)))]
pub(crate) async fn directory(
    State(app): State<Arc<App>>,
    access: Access,
) -> Result<Json<Vec<Colleague>>, Refusal> {
    let live = app.control.live(access.tenant.as_str()).await?;
    Ok(Json(live.agents.into_iter().map(Colleague::from).collect()))
}
