//! How call records are written. Control may write a record again: a recording that was deleted meanwhile is not listed anew, for
//! its id stays in the row, beside the record.

use std::collections::{BTreeMap, BTreeSet};

use mangrove_proto::{
    id::{CallId, TenantId},
    live::{Cdr, CdrLeg, LateRecording},
};
use serde::Deserialize;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use crate::{cdr_filter::word, sql::Sql};

/// Where a row's record has them.
const DELETED: &str = "deleted_recordings";

/// By call: the ids of the recordings that were deleted.
type Deleted = BTreeMap<String, BTreeSet<String>>;

/// What else a row's record has.
#[derive(Debug, Deserialize)]
struct Beside {
    #[serde(default)]
    deleted_recordings: BTreeSet<String>,
}

/// Writes records, no call twice: one takes the place of an earlier one. Most are new. The insertion comes first: SQLite lets a
/// transaction that has begun by reading not always write.
pub(crate) async fn write(connection: &mut AnyConnection, cdrs: &[&Cdr]) -> Result<(), sqlx::Error> {
    let new = {
        let mut insertion = insertion(cdrs, &Deleted::new())?;
        insertion.push(" DO NOTHING RETURNING call_id");
        insertion.query().fetch_all(&mut *connection).await?
    };
    let new: BTreeSet<String> = new.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let others: Vec<&Cdr> = cdrs.iter().copied().filter(|cdr| !new.contains(&cdr.call.to_string())).collect();
    if others.is_empty() {
        return Ok(());
    }
    let kept = locked(connection, others.iter().map(|cdr| cdr.call)).await?;
    update(connection, &others, &deleted(&kept)).await
}

/// Takes recordings out of a call's record, now and whenever it is written again.
pub(crate) async fn forget(
    connection: &mut AnyConnection,
    (tenant, call): (&TenantId, CallId),
    ids: &[&str],
) -> Result<(), sqlx::Error> {
    let kept = locked(connection, [call]).await?;
    let Some(cdr) = of_tenant(&kept, tenant)? else { return Ok(()) };
    let mut deleted = deleted(&kept);
    deleted.entry(call.to_string()).or_default().extend(ids.iter().map(|id| (*id).to_owned()));
    update(connection, &[&cdr], &deleted).await
}

/// Puts a recording into its call's record, unless it is there, or was and is deleted, or there is no record.
pub(crate) async fn add(connection: &mut AnyConnection, late: &LateRecording) -> Result<(), sqlx::Error> {
    let kept = locked(connection, [late.call]).await?;
    let Some(mut cdr) = of_tenant(&kept, &late.tenant)? else { return Ok(()) };
    if cdr.recordings.iter().any(|recording| recording.id == late.recording.id) {
        return Ok(());
    }
    cdr.recordings.push(late.recording.clone());
    update(connection, &[&cdr], &deleted(&kept)).await
}

/// The first row's record, if it is this tenant's and can be read.
fn of_tenant(rows: &[AnyRow], tenant: &TenantId) -> Result<Option<Cdr>, sqlx::Error> {
    let record = rows.first().map(|row| row.try_get::<String, _>(1)).transpose()?;
    let cdr = record.and_then(|record| serde_json::from_str::<Cdr>(&record).ok());
    Ok(cdr.filter(|cdr| cdr.tenant == *tenant))
}

/// The rows of these calls, with their records. Nobody else writes them until the transaction ends.
async fn locked(
    connection: &mut AnyConnection,
    calls: impl IntoIterator<Item = CallId>,
) -> Result<Vec<AnyRow>, sqlx::Error> {
    let calls: Vec<String> = calls.into_iter().map(|call| call.to_string()).collect();
    let mut lock = Sql::new("UPDATE cdr SET recorded = recorded WHERE call_id IN (");
    lock.bind_all(calls.clone()).push(")");
    lock.query().execute(&mut *connection).await?;
    let mut kept = Sql::new("SELECT call_id, record FROM cdr WHERE call_id IN (");
    kept.bind_all(calls).push(")");
    kept.query().fetch_all(connection).await
}

/// A row that can't be read is written anew.
fn deleted(rows: &[AnyRow]) -> Deleted {
    let read = |row: &AnyRow| -> Option<(String, BTreeSet<String>)> {
        let (call, record): (String, String) = (row.try_get(0).ok()?, row.try_get(1).ok()?);
        Some((call, serde_json::from_str::<Beside>(&record).ok()?.deleted_recordings))
    };
    rows.iter().filter_map(read).collect()
}

async fn update(connection: &mut AnyConnection, cdrs: &[&Cdr], deleted: &Deleted) -> Result<(), sqlx::Error> {
    let mut update = insertion(cdrs, deleted)?;
    update.push(
        " DO UPDATE SET tenant = excluded.tenant, started = excluded.started, ended = excluded.ended, \
         direction = excluded.direction, caller = excluded.caller, called = excluded.called, \
         group_id = excluded.group_id, employees = excluded.employees, outcome = excluded.outcome, \
         recorded = excluded.recorded, record = excluded.record",
    );
    update.query().execute(connection).await?;
    Ok(())
}

fn insertion(cdrs: &[&Cdr], deleted: &Deleted) -> Result<Sql, sqlx::Error> {
    let mut sql = Sql::new(
        "INSERT INTO cdr (call_id, tenant, started, ended, direction, caller, called, group_id, employees, outcome, \
         recorded, record) VALUES ",
    );
    for (place, cdr) in cdrs.iter().enumerate() {
        sql.push(if place > 0 { ", (" } else { "(" });
        match deleted.get(&cdr.call.to_string()).filter(|ids| !ids.is_empty()) {
            None => values(cdr, serde_json::to_string(cdr), &mut sql)?,
            Some(ids) => {
                let listed = without((*cdr).clone(), ids);
                values(&listed, record(&listed, ids), &mut sql)?;
            }
        }
        sql.push(")");
    }
    sql.push(" ON CONFLICT (call_id)");
    Ok(sql)
}

fn without(mut cdr: Cdr, ids: &BTreeSet<String>) -> Cdr {
    cdr.recordings.retain(|recording| !ids.contains(&recording.id));
    cdr
}

/// With the ids beside it.
fn record(cdr: &Cdr, ids: &BTreeSet<String>) -> serde_json::Result<String> {
    let mut record = serde_json::to_value(cdr)?;
    if let Some(fields) = record.as_object_mut() {
        fields.insert(DELETED.to_owned(), serde_json::to_value(ids)?);
    }
    serde_json::to_string(&record)
}

fn values(cdr: &Cdr, record: serde_json::Result<String>, sql: &mut Sql) -> Result<(), sqlx::Error> {
    let record = record.map_err(|error| sqlx::Error::Encode(error.into()))?;
    sql.bind(cdr.call.to_string()).push(", ").bind(cdr.tenant.as_str());
    sql.push(", ").bind(cdr.started).push(", ").bind(cdr.ended).push(", ").bind(word(&cdr.direction));
    sql.push(", ").bind(cdr.caller.as_str()).push(", ").bind(cdr.called.as_str());
    sql.push(", ").bind(cdr.group.as_ref().map(ToString::to_string)).push(", ").bind(employees(cdr));
    sql.push(", ").bind(word(&cdr.outcome)).push(", ").bind(u64::from(!cdr.recordings.is_empty()));
    sql.push(", ").bind(record);
    Ok(())
}

/// Those who talked, and the one who called: an unanswered offer makes nobody part of a call, nor does listening to it.
fn employees(cdr: &Cdr) -> String {
    let talked = |leg: &&CdrLeg| leg.role == "caller" || (leg.answered.is_some() && leg.role != "monitor");
    let spoke = cdr.legs.iter().filter(talked);
    let all: BTreeSet<_> = spoke.filter_map(|leg| leg.employee.as_ref()).chain(&cdr.employee).collect();
    all.iter().fold(String::from("|"), |text, employee| text + employee.as_str() + "|")
}
