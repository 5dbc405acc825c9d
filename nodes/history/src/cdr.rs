//! Call records: one row a call. The columns serve the filters; the record itself is kept whole.

use std::collections::BTreeSet;

use mangrove_proto::{
    id::{CallId, TenantId},
    live::{Cdr, CdrLeg},
};
use sqlx::{Row as _, any::AnyRow};

use crate::{CdrFilter, Error, History, Listed, Page, cdr_filter::word, sql::Sql};

impl History {
    /// A tenant's finished calls, newest first.
    pub async fn cdrs(
        &self,
        tenant: &TenantId,
        filter: &CdrFilter,
        page: &Page,
    ) -> Result<Listed<Cdr>, Error> {
        let mut sql = Sql::new("SELECT call_id, record FROM cdr WHERE tenant = ");
        sql.bind(tenant.as_str());
        filter.narrow(&mut sql);
        if let Some((started, call)) = page.start()? {
            sql.push(" AND (started < ").bind(started);
            sql.push(" OR (started = ").bind(started).push(" AND call_id < ").bind(call).push("))");
        }
        sql.push(" ORDER BY started DESC, call_id DESC LIMIT ").bind(page.rows() as u64 + 1);
        let rows = sql.rows(&self.reader, "listing calls").await?;
        let cdrs = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Listed::cut(cdrs, page.rows(), |cdr| (cdr.started, cdr.call.to_string())))
    }

    /// One finished call; None also when it is another tenant's.
    pub async fn cdr(&self, tenant: &TenantId, call: CallId) -> Result<Option<Cdr>, Error> {
        let mut sql = Sql::new("SELECT call_id, record FROM cdr WHERE tenant = ");
        sql.bind(tenant.as_str()).push(" AND call_id = ").bind(call.to_string());
        sql.rows(&self.reader, "reading a call").await?.first().map(read).transpose()
    }
}

/// A call's row takes the place of an earlier one. No call twice.
pub(crate) fn upsert(cdrs: &[&Cdr]) -> Result<Sql, Error> {
    let mut sql = Sql::new(
        "INSERT INTO cdr (call_id, tenant, started, ended, direction, caller, called, group_id, employees, outcome, \
         recorded, record) VALUES ",
    );
    for (place, cdr) in cdrs.iter().enumerate() {
        sql.push(if place > 0 { ", (" } else { "(" });
        values(cdr, &mut sql)?;
        sql.push(")");
    }
    sql.push(
        " ON CONFLICT (call_id) DO UPDATE SET tenant = excluded.tenant, started = excluded.started, \
         ended = excluded.ended, direction = excluded.direction, caller = excluded.caller, called = excluded.called, \
         group_id = excluded.group_id, employees = excluded.employees, outcome = excluded.outcome, \
         recorded = excluded.recorded, record = excluded.record",
    );
    Ok(sql)
}

fn values(cdr: &Cdr, sql: &mut Sql) -> Result<(), Error> {
    let record = serde_json::to_string(cdr).map_err(|e| damaged(cdr.call.to_string(), &e))?;
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

pub(crate) fn read(row: &AnyRow) -> Result<Cdr, Error> {
    let call: String = row.try_get(0).map_err(|e| damaged(String::new(), &e))?;
    let record: String = row.try_get(1).map_err(|e| damaged(call.clone(), &e))?;
    serde_json::from_str(&record).map_err(|e| damaged(call, &e))
}

fn damaged(key: String, why: &dyn std::error::Error) -> Error {
    Error::Damaged { what: "cdr", key, why: why.to_string() }
}
