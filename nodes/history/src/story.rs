//! Stories of finished calls, one row a call.

use mangrove_proto::{
    id::{CallId, TenantId},
    story::Entry,
};
use sqlx::Row as _;

use crate::{Error, History, sql::Sql};

/// Lines kept of one call: the first and the last tell most, so the middle goes.
const MOST: usize = 1000;

/// What happened in one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Whose call.
    pub tenant: TenantId,
    /// Which call.
    pub call: CallId,
    /// When the call started, Unix milliseconds; retention counts from here.
    pub at: u64,
    /// In order.
    pub entries: Vec<Entry>,
}

impl History {
    /// The story of a finished call; None when there is none, or the call is another tenant's.
    pub async fn story(&self, tenant: &TenantId, call: CallId) -> Result<Option<Vec<Entry>>, Error> {
        let mut sql = Sql::new("SELECT entries FROM story WHERE tenant = ");
        sql.bind(tenant.as_str()).push(" AND call_id = ").bind(call.to_string());
        let rows = sql.rows(&self.reader, "reading a story").await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let text: String = row.try_get(0).map_err(|e| damaged(call, &e))?;
        serde_json::from_str(&text).map(Some).map_err(|e| damaged(call, &e))
    }
}

/// A longer story replaces a shorter one, never the other way round: after a restart only the end may be known. No call
/// twice.
pub(crate) fn upsert(stories: &[&Story]) -> Result<Sql, Error> {
    let mut sql = Sql::new("INSERT INTO story (call_id, tenant, made_at, entries) VALUES ");
    for (place, story) in stories.iter().enumerate() {
        let entries = serde_json::to_string(&shorten(&story.entries)).map_err(|e| damaged(story.call, &e))?;
        sql.push(if place > 0 { ", (" } else { "(" });
        sql.bind(story.call.to_string()).push(", ").bind(story.tenant.as_str());
        sql.push(", ").bind(story.at).push(", ").bind(entries).push(")");
    }
    sql.push(
        " ON CONFLICT (call_id) DO UPDATE SET tenant = excluded.tenant, made_at = excluded.made_at, \
         entries = excluded.entries WHERE length(excluded.entries) >= length(story.entries)",
    );
    Ok(sql)
}

fn shorten(entries: &[Entry]) -> Vec<&Entry> {
    let gap = entries.len().saturating_sub(MOST);
    let head = MOST / 2;
    entries.iter().take(head).chain(entries.iter().skip(head + gap)).collect()
}

fn damaged(call: CallId, why: &dyn std::error::Error) -> Error {
    Error::Damaged { what: "story", key: call.to_string(), why: why.to_string() }
}
