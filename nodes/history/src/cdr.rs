//! Call records: one row a call. The columns serve the filters; the record itself is kept whole.

use mangrove_proto::{
    id::{CallId, TenantId},
    live::Cdr,
};
use sqlx::{Row as _, any::AnyRow};

use crate::{CdrFilter, Error, History, Listed, Page, sql::Sql};

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

pub(crate) fn read(row: &AnyRow) -> Result<Cdr, Error> {
    let call: String = row.try_get(0).map_err(|e| damaged(String::new(), &e))?;
    let record: String = row.try_get(1).map_err(|e| damaged(call.clone(), &e))?;
    serde_json::from_str(&record).map_err(|e| damaged(call, &e))
}

fn damaged(key: String, why: &dyn std::error::Error) -> Error {
    Error::Damaged { what: "cdr", key, why: why.to_string() }
}
