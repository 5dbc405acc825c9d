//! Stories of finished calls, one row a call.

use std::collections::{BTreeMap, BTreeSet};

use mangrove_proto::{
    id::{CallId, TenantId},
    story::Entry,
};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

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

/// What both tell, each line once, in the order of the call's clock: nodes that led one after another know different
/// parts, in whatever order they come to write them.
pub fn merge(kept: Vec<Entry>, told: &[Entry]) -> Vec<Entry> {
    let known = kept.len();
    let mut all = kept;
    for entry in told {
        if !all[..known].contains(entry) {
            all.push(entry.clone());
        }
    }
    all.sort_by_key(|entry| entry.after_ms);
    all
}

/// Writes stories, no call twice. Most are new; of the others what is kept stays. The insertion comes first: SQLite lets a
/// transaction that has begun by reading not always write.
pub(crate) async fn write(connection: &mut AnyConnection, stories: &[&Story]) -> Result<(), sqlx::Error> {
    let new = {
        let mut insertion = insertion(stories)?;
        insertion.push(" DO NOTHING RETURNING call_id");
        insertion.query().fetch_all(&mut *connection).await?
    };
    let new: BTreeSet<String> = new.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let others: Vec<&Story> =
        stories.iter().copied().filter(|story| !new.contains(&story.call.to_string())).collect();
    if others.is_empty() {
        return Ok(());
    }
    let whole = merged(&others, &kept(&others).query().fetch_all(&mut *connection).await?);
    let mut update = insertion(&whole.iter().collect::<Vec<_>>())?;
    update.push(
        " DO UPDATE SET tenant = excluded.tenant, made_at = excluded.made_at, entries = excluded.entries",
    );
    update.query().execute(connection).await?;
    Ok(())
}

fn insertion(stories: &[&Story]) -> Result<Sql, sqlx::Error> {
    let mut sql = Sql::new("INSERT INTO story (call_id, tenant, made_at, entries) VALUES ");
    for (place, story) in stories.iter().enumerate() {
        let entries = serde_json::to_string(&shorten(&story.entries));
        let entries = entries.map_err(|error| sqlx::Error::Encode(error.into()))?;
        sql.push(if place > 0 { ", (" } else { "(" });
        sql.bind(story.call.to_string()).push(", ").bind(story.tenant.as_str());
        sql.push(", ").bind(story.at).push(", ").bind(entries).push(")");
    }
    sql.push(" ON CONFLICT (call_id)");
    Ok(sql)
}

fn kept(stories: &[&Story]) -> Sql {
    let mut sql = Sql::new("SELECT call_id, made_at, entries FROM story WHERE call_id IN (");
    sql.bind_all(stories.iter().map(|story| story.call.to_string())).push(")");
    sql
}

/// The stories with what is kept of them. A row that can't be read is written anew.
fn merged(stories: &[&Story], rows: &[AnyRow]) -> Vec<Story> {
    let read = |row: &AnyRow| -> Option<(String, (i64, Vec<Entry>))> {
        let (call, text): (String, String) = (row.try_get(0).ok()?, row.try_get(2).ok()?);
        Some((call, (row.try_get(1).ok()?, serde_json::from_str(&text).ok()?)))
    };
    let mut kept: BTreeMap<_, _> = rows.iter().filter_map(read).collect();
    let whole = |story: &&Story| match kept.remove(&story.call.to_string()) {
        Some((at, before)) => Story {
            at: story.at.min(at.unsigned_abs()),
            entries: merge(before, &story.entries),
            ..(*story).clone()
        },
        None => (*story).clone(),
    };
    stories.iter().map(whole).collect()
}

fn shorten(entries: &[Entry]) -> Vec<&Entry> {
    let gap = entries.len().saturating_sub(MOST);
    let head = MOST / 2;
    entries.iter().take(head).chain(entries.iter().skip(head + gap)).collect()
}

fn damaged(call: CallId, why: &dyn std::error::Error) -> Error {
    Error::Damaged { what: "story", key: call.to_string(), why: why.to_string() }
}
