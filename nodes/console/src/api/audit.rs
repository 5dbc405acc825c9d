//! Who changed or heard what: the log, and what the console itself writes into it.

use std::sync::Arc;

use axum::{Json, extract::State};
use mangrove_history::{Audit, AuditFilter, Batch, Page};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::time;
use crate::{access::Access, app::App, body::Asked, refusal::Refusal};

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct AuditQuery {
    /// At or after: Unix milliseconds or RFC 3339.
    #[serde(default, deserialize_with = "time::read")]
    #[param(value_type = Option<String>)]
    from: Option<u64>,
    /// Before.
    #[serde(default, deserialize_with = "time::read")]
    #[param(value_type = Option<String>)]
    to: Option<u64>,
    /// Part of the author's name.
    author: Option<String>,
    /// Part of the object's name.
    object: Option<String>,
    /// `create`, `update`, `delete`, `password`, `listen`.
    action: Option<String>,
    /// 1 to 500, 50 unless given.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// One line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    at: u64,
    author: String,
    address: String,
    object: String,
    action: String,
    before: Option<Value>,
    after: Option<Value>,
}

/// A page of the audit log, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    items: Vec<Line>,
    next: Option<String>,
}

/// Changes of configuration, passwords and listening, newest first.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/audit", tag = "configuration",
    params(("tenant" = String, Path), AuditQuery), responses((status = 200, body = AuditPage)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    access: Access,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<AuditPage>, Refusal> {
    let first = Page::default();
    let page = Page { limit: query.limit.unwrap_or(first.limit), after: query.after };
    let filter = AuditFilter {
        from: query.from,
        to: query.to,
        author: query.author,
        object: query.object,
        action: query.action,
    };
    let listed = app.history.audit(&access.tenant, &filter, &page).await?;
    Ok(Json(AuditPage { items: listed.items.into_iter().map(Line::from).collect(), next: listed.next }))
}

/// Something that the asker is about to do.
#[derive(Debug)]
pub(crate) struct Deed<'a> {
    action: &'a str,
    object: String,
    before: Option<Value>,
    after: Option<Value>,
    /// Milliseconds within which the same is one line.
    sitting: u64,
}

impl<'a> Deed<'a> {
    pub(crate) fn new(action: &'a str, object: String) -> Self {
        Self { action, object, before: None, after: None, sitting: 1 }
    }

    pub(crate) fn change(self, before: Option<Value>, after: Option<Value>) -> Self {
        Self { before, after, ..self }
    }

    pub(crate) fn once_in(self, sitting: u64) -> Self {
        Self { sitting, ..self }
    }
}

/// Keeps a deed in the log; it is done only after that.
pub(crate) async fn keep(app: &App, access: &Access, deed: Deed<'_>) -> Result<(), Refusal> {
    let (Deed { action, object, before, after, sitting }, at) = (deed, time::now());
    let line = Audit {
        key: format!("{}/{action}/{}/{object}/{}", access.tenant, access.author.name, at / sitting),
        tenant: access.tenant.clone(),
        at,
        author: access.author.name.clone(),
        address: access.author.address.clone(),
        object,
        action: action.to_owned(),
        before,
        after,
    };
    Ok(app.history.write(&Batch { audits: vec![line], ..Batch::default() }).await?)
}

impl From<Audit> for Line {
    fn from(audit: Audit) -> Self {
        let Audit { at, author, address, object, action, before, after, .. } = audit;
        Self { at, author, address, object, action, before, after }
    }
}
