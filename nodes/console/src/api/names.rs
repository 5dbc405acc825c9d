//! Who is who in the company: what stands behind the ids and extensions that calls and records name.

use std::sync::Arc;

use axum::{Json, extract::State};
use mangrove_proto::live::{Agent, Live, Queue};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{access::Access, app::App, refusal::Refusal};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Names {
    groups: Vec<GroupName>,
    employees: Vec<EmployeeName>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupName {
    /// Its extension too.
    id: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmployeeName {
    id: String,
    extension: String,
    name: String,
}

impl From<Live> for Names {
    fn from(live: Live) -> Self {
        let group = |queue: Queue| GroupName { id: queue.id.to_string(), name: queue.name };
        let employee = |agent: Agent| EmployeeName {
            id: agent.id.to_string(),
            extension: agent.extension,
            name: agent.name,
        };
        Self {
            groups: live.queues.into_iter().map(group).collect(),
            employees: live.agents.into_iter().map(employee).collect(),
        }
    }
}

/// Names of all groups and employees of the company, as in its telephone list; how they are doing is not in it.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/names", tag = "live", params(("tenant" = String, Path)),
    responses((status = 200, body = Names), (status = 403, body = Refusal)))]
pub(crate) async fn names(State(app): State<Arc<App>>, access: Access) -> Result<Json<Names>, Refusal> {
    Ok(Json(app.control.live(access.tenant.as_str()).await?.into()))
}
