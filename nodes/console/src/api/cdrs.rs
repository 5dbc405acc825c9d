//! Records of past calls.

use std::sync::Arc;

use axum::{Json, extract::State};
use mangrove_proto::{
    id::{CallId, EmployeeId},
    live::{Cdr, CdrLeg},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::cdr_query::CdrQuery;
use crate::{
    access::{Access, Scope},
    app::App,
    body::{Asked, Named},
    refusal::Refusal,
};

/// The role of a supervisor's leg.
const MONITOR: &str = "monitor";

/// A page of past calls, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CdrPage {
    items: Vec<Cdr>,
    /// `after` of the next page; none on the last.
    next: Option<String>,
}

/// Past calls in sight.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/cdrs", tag = "calls", params(("tenant" = String, Path), CdrQuery),
    responses((status = 200, body = CdrPage), (status = 503, body = Refusal)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    access: Access,
    Asked(query): Asked<CdrQuery>,
) -> Result<Json<CdrPage>, Refusal> {
    let listed = app.history.cdrs(&access.tenant, &query.filter(&access), &query.page()).await?;
    let items = listed.items.into_iter().map(|cdr| without_monitors(&access.scope, cdr)).collect();
    Ok(Json(CdrPage { items, next: listed.next }))
}

/// One past call.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/cdrs/{call}", tag = "calls",
    params(("tenant" = String, Path), ("call" = String, Path)),
    responses((status = 200, body = Cdr), (status = 404, body = Refusal)))]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    access: Access,
    Named((_tenant, call)): Named<(String, String)>,
) -> Result<Json<Cdr>, Refusal> {
    find(&app, &access, &access.scope, call_id(&call)?).await.map(Json)
}

/// Something that is no id names no call.
pub(crate) fn call_id(text: &str) -> Result<CallId, Refusal> {
    text.parse().map_err(|_| Refusal::missing("such call"))
}

/// A past call in this scope.
pub(crate) async fn find(app: &App, access: &Access, scope: &Scope, call: CallId) -> Result<Cdr, Refusal> {
    let cdr = app.history.cdr(&access.tenant, call).await?;
    let cdr = cdr.filter(|cdr| sees(scope, cdr)).ok_or_else(|| Refusal::missing("such call"))?;
    Ok(without_monitors(scope, cdr))
}

/// Who talked is not told afterwards who listened, whatever else they may see; who supervises others' talks is.
fn without_monitors(scope: &Scope, mut cdr: Cdr) -> Cdr {
    let is_hidden = matches!(scope, Scope::Own(_)) || took_part(&cdr).any(|employee| scope.is_own(employee));
    let is_own = |leg: &CdrLeg| leg.employee.as_ref().is_some_and(|employee| scope.is_own(employee));
    cdr.legs.retain(|leg| !is_hidden || leg.role != MONITOR || is_own(leg));
    cdr
}

fn sees(scope: &Scope, cdr: &Cdr) -> bool {
    scope.is_whole()
        || cdr.group.as_ref().is_some_and(|group| scope.sees_group(group))
        || took_part(cdr).any(|employee| scope.is_own(employee))
}

/// The employees who talked.
fn took_part(cdr: &Cdr) -> impl Iterator<Item = &EmployeeId> {
    let talked = |leg: &&CdrLeg| leg.role == "caller" || (leg.answered.is_some() && leg.role != MONITOR);
    cdr.legs.iter().filter(talked).filter_map(|leg| leg.employee.as_ref()).chain(&cdr.employee)
}
