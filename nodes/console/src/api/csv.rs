//! Past calls as a table for spreadsheets. Cells that a spreadsheet would take for a formula get an apostrophe.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;
use mangrove_history::{CdrFilter, Page};
use mangrove_proto::{id::TenantId, live::Cdr};
use serde::Serialize;

use super::{cdr_query::CdrQuery, time};
use crate::{access::Access, app::App, body::Asked, refusal::Refusal};

const HEAD: &str = "call,direction,started,answered,ended,caller,called,number,source,group,employee,outcome,cause,\
    wait_seconds,talk_seconds,hold_seconds,recordings";

/// Past calls in sight as CSV (UTF-8, comma, CRLF), all pages.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/cdrs.csv", tag = "calls",
    params(("tenant" = String, Path), CdrQuery),
    responses((status = 200, content_type = "text/csv", body = String), (status = 503, body = Refusal)))]
pub(crate) async fn export(
    State(app): State<Arc<App>>,
    access: Access,
    Asked(query): Asked<CdrQuery>,
) -> Result<Response, Refusal> {
    let mut export = Export {
        filter: query.filter(&access),
        tenant: access.tenant,
        app,
        page: Some(Page { limit: 500, after: None }),
    };
    // The mark at the start makes spreadsheets read UTF-8. The first page is read before the answer begins, so that a
    // missing database is told by the status.
    let first = format!("\u{feff}{HEAD}\r\n{}", export.read().await?.unwrap_or_default());
    let rest = stream::try_unfold(export, |mut export| async move {
        let rows = export.read().await.map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(rows.map(|rows| (Bytes::from(rows), export)))
    });
    let body = futures::StreamExt::chain(stream::iter([Ok(Bytes::from(first))]), rest);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"calls.csv\""),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

struct Export {
    app: Arc<App>,
    tenant: TenantId,
    filter: CdrFilter,
    /// None after the last.
    page: Option<Page>,
}

impl Export {
    async fn read(&mut self) -> Result<Option<String>, mangrove_history::Error> {
        let Some(page) = self.page.take() else { return Ok(None) };
        let listed = self.app.history.cdrs(&self.tenant, &self.filter, &page).await?;
        self.page = listed.next.map(|next| Page { after: Some(next), ..page });
        Ok(Some(listed.items.iter().map(row).collect()))
    }
}

fn row(cdr: &Cdr) -> String {
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    let seconds = |millis: u64| format!("{}.{:03}", millis / 1000, millis % 1000);
    let cells = [
        cdr.call.to_string(),
        word(&cdr.direction),
        time::write(cdr.started),
        cdr.answered.map(time::write).unwrap_or_default(),
        time::write(cdr.ended),
        cdr.caller.clone(),
        cdr.called.clone(),
        or_empty(&cdr.number),
        or_empty(&cdr.source),
        cdr.group.as_ref().map(ToString::to_string).unwrap_or_default(),
        cdr.employee.as_ref().map(ToString::to_string).unwrap_or_default(),
        word(&cdr.outcome),
        cdr.cause.clone(),
        seconds(cdr.wait_ms),
        seconds(cdr.talk_ms),
        seconds(cdr.hold_ms),
        cdr.recordings.len().to_string(),
    ];
    cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// One cell, quoted where needed, never a formula.
fn cell(text: &str) -> String {
    let risky =
        text.trim_start().starts_with(['=', '+', '-', '@', '|', '%']) || text.starts_with(['\t', '\r', '\n']);
    let text = if risky { format!("'{text}") } else { text.to_owned() };
    let quoted = text.contains(['"', ',', ';', '\n', '\r', '\t', '\'']);
    if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, wanted) in [
            ("74951234567", "74951234567"),
            ("+74951234567", "\"'+74951234567\""),
            ("=1+1", "\"'=1+1\""),
            (" =cmd|'/C calc'!A0", "\"' =cmd|'/C calc'!A0\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("a\"b,c", "\"a\"\"b,c\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), wanted);
        }
    }
}
