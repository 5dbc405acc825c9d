//! What is kept only for a time: recordings by the tenant's wish, records and stories by law. The sound itself lies
//! in the object store: whoever calls this deletes it there first, so that nothing is left that no row names.

use mangrove_proto::{
    id::{CallId, TenantId},
    live::{Cdr, CdrRecording},
};

use crate::{
    Error, History, cdr, cdr_write,
    sql::{Sql, bounded},
};

/// A call whose recordings have outlived their time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// Which call.
    pub call: CallId,
    /// When it started, Unix milliseconds.
    pub started: u64,
    /// What to delete from the object store.
    pub recordings: Vec<CdrRecording>,
}

impl History {
    /// Calls started before `before` that still have recordings, oldest first, at most `limit`; those after `after`,
    /// so that one whose sound can't be deleted stands in nobody's way.
    pub async fn expired_recordings(
        &self,
        tenant: &TenantId,
        before: u64,
        after: Option<&Expired>,
        limit: u32,
    ) -> Result<Vec<Expired>, Error> {
        let mut sql = Sql::new("SELECT call_id, record FROM cdr WHERE recorded = 1 AND tenant = ");
        sql.bind(tenant.as_str()).push(" AND started < ").bind(before);
        if let Some(Expired { call, started, .. }) = after {
            sql.push(" AND (started > ").bind(*started);
            sql.push(" OR (started = ")
                .bind(*started)
                .push(" AND call_id > ")
                .bind(call.to_string())
                .push("))");
        }
        sql.push(" ORDER BY started, call_id LIMIT ").bind(u64::from(limit));
        let rows = sql.rows(&self.reader, "looking for old recordings").await?;
        let expired = |row| {
            cdr::read(row).map(|Cdr { call, started, recordings, .. }| Expired { call, started, recordings })
        };
        rows.iter().map(expired).collect()
    }

    /// Takes recordings out of a call's record, after their objects are gone. Others that it has stay, and these do not come
    /// back when control writes it again.
    pub async fn forget_recordings(
        &self,
        tenant: &TenantId,
        call: CallId,
        ids: &[&str],
    ) -> Result<(), Error> {
        if self.cdr(tenant, call).await?.is_none() {
            return Ok(());
        }
        bounded("forgetting recordings", async {
            let mut transaction = self.writer.begin().await?;
            cdr_write::forget(&mut transaction, (tenant, call), ids).await?;
            transaction.commit().await
        })
        .await
    }

    /// Deletes records and stories of calls started before `before`; returns how many calls.
    pub async fn delete_before(&self, tenant: &TenantId, before: u64) -> Result<u64, Error> {
        let mut cdrs = Sql::new("DELETE FROM cdr WHERE tenant = ");
        cdrs.bind(tenant.as_str()).push(" AND started < ").bind(before);
        let mut stories = Sql::new("DELETE FROM story WHERE tenant = ");
        stories.bind(tenant.as_str()).push(" AND made_at < ").bind(before);
        bounded("deleting old calls", async {
            let mut transaction = self.writer.begin().await?;
            let deleted = cdrs.query().execute(&mut *transaction).await?.rows_affected();
            stories.query().execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(deleted)
        })
        .await
    }
}
