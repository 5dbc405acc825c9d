//! Supervisors beside live calls.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use mangrove_proto::{
    control::{Author, CallCommand},
    live::MonitorMode,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::live;
use crate::{
    access::{Access, Principal},
    app::App,
    body::{Asked, Body, Named},
    refusal::Refusal,
};

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Supervision {
    /// `listen`: hear both. `whisper`: be heard by the employee. `barge`: be heard by both. `take-over`: talk on in the
    /// employee's place.
    mode: MonitorMode,
    /// Whose phone is rung: with the administrator's token only, for people it is their own.
    #[serde(default)]
    employee: Option<String>,
    /// Who numbers: drawn by chance once, by a page or a program; 0: does not.
    #[serde(default)]
    asker: u64,
    /// Rises with each wish of this asker for that phone. A wish that is sent again with its number counts once; one that
    /// arrives when a later one was granted is refused (409).
    #[serde(default)]
    number: u64,
}

/// Who is to leave.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Leaving {
    /// As in `POST`.
    #[serde(default)]
    employee: Option<String>,
    /// As in `POST`.
    #[serde(default)]
    asker: u64,
    /// As in `POST`.
    #[serde(default)]
    number: u64,
}

/// Brings you to a call, or changes what you do there: your own phone is rung, and asked to answer by itself. The caller is
/// not told. You leave by hanging up, and with the employee whom you came for.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/calls/{id}/monitor", tag = "live", request_body = Supervision,
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = Refusal), (status = 409, body = Refusal),
        (status = 422, body = Refusal)))]
pub(crate) async fn supervise(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, id)): Named<(String, String)>,
    Body(wish): Body<Supervision>,
) -> Result<StatusCode, Refusal> {
    let Supervision { mode, employee, asker, number } = wish;
    command(&app, &access, &id, mode.name(), (employee, asker, number)).await
}

/// Takes you out of a call that you supervise.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/calls/{id}/monitor", tag = "live",
    params(("tenant" = String, Path), ("id" = String, Path), Leaving),
    responses((status = 204), (status = 404, body = Refusal), (status = 409, body = Refusal)))]
pub(crate) async fn leave(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, id)): Named<(String, String)>,
    Asked(leaving): Asked<Leaving>,
) -> Result<StatusCode, Refusal> {
    let Leaving { employee, asker, number } = leaving;
    command(&app, &access, &id, "stop", (employee, asker, number)).await
}

async fn command(
    app: &App,
    access: &Access,
    id: &str,
    action: &str,
    (employee, asker, number): (Option<String>, u64, u64),
) -> Result<StatusCode, Refusal> {
    let employee = whose(access, employee)?;
    let call = live::call(app, access, &access.scope, id).await?;
    let call = call.ok_or_else(|| Refusal::missing("such call"))?.id.to_string();
    let (tenant, action) = (access.tenant.to_string(), action.to_owned());
    let author = Some(Author { asker, number, ..access.author.clone() });
    let command = CallCommand { author, tenant, call, action, employee, ..CallCommand::default() };
    app.control.command_call(command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose phone it is: nobody brings others to a call but the operator.
fn whose(access: &Access, named: Option<String>) -> Result<String, Refusal> {
    match (&access.who, named) {
        (Principal::Person(person), None) => Ok(person.login.employee.to_string()),
        (Principal::Person(person), Some(named)) if person.login.employee.as_str() == named => Ok(named),
        (Principal::Person(_), Some(_)) => Err(Refusal::forbidden()),
        (Principal::Operator, Some(named)) => Ok(named),
        (Principal::Operator, None) => {
            Err(Refusal::bad("the administrator's token has no phone", "name an `employee`"))
        }
    }
}
