//! Who changed or listened to what, when, from where, with before and after.

use mangrove_proto::id::TenantId;
use serde::Serialize;
use serde_json::Value;
use sqlx::{Row as _, any::AnyRow};

use crate::{Error, History, Listed, Page, sql::Sql};

/// One line of the audit log. Secrets are left out by whoever makes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audit {
    /// Names the line: written again it stays one. For outbox records
    /// `tenant/incarnation/group/number`, padded: lines of one instant are listed in the order of their keys.
    #[serde(skip)]
    pub key: String,
    /// Whose configuration.
    #[serde(skip)]
    pub tenant: TenantId,
    /// Unix milliseconds.
    pub at: u64,
    /// A login's e-mail, or `operator`.
    pub author: String,
    /// Where from.
    pub address: String,
    /// `employee/anna`, `recording/call_1…/1`, `sound/music/rain`.
    pub object: String,
    /// `create`, `update`, `delete`, `password`, `listen`.
    pub action: String,
    /// What it was; None for what was created.
    pub before: Option<Value>,
    /// What it became; None for what was deleted.
    pub after: Option<Value>,
}

impl Audit {
    /// Reads `before` or `after` as the configuration gives it: empty is None, what is no JSON stays a text.
    pub fn json(text: &str) -> Option<Value> {
        if text.is_empty() {
            return None;
        }
        Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
    }
}

/// Which lines are wanted. All that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// At or after, Unix milliseconds.
    pub from: Option<u64>,
    /// Before.
    pub to: Option<u64>,
    /// Part of the author's name.
    pub author: Option<String>,
    /// Part of the object.
    pub object: Option<String>,
    /// Exactly this action.
    pub action: Option<String>,
}

impl AuditFilter {
    fn narrow(&self, sql: &mut Sql) {
        if let Some(from) = self.from {
            sql.push(" AND made_at >= ").bind(from);
        }
        if let Some(to) = self.to {
            sql.push(" AND made_at < ").bind(to);
        }
        if let Some(author) = &self.author {
            sql.push(" AND ").contains("author", author);
        }
        if let Some(object) = &self.object {
            sql.push(" AND ").contains("object", object);
        }
        if let Some(action) = &self.action {
            sql.push(" AND action = ").bind(action.as_str());
        }
    }
}

impl History {
    /// A tenant's audit log, newest first.
    pub async fn audit(
        &self,
        tenant: &TenantId,
        filter: &AuditFilter,
        page: &Page,
    ) -> Result<Listed<Audit>, Error> {
        let mut sql = Sql::new(
            "SELECT audit_key, tenant, made_at, author, address, object, action, before_json, after_json \
             FROM audit WHERE tenant = ",
        );
        sql.bind(tenant.as_str());
        filter.narrow(&mut sql);
        if let Some((at, key)) = page.start()? {
            sql.push(" AND (made_at < ").bind(at);
            sql.push(" OR (made_at = ").bind(at).push(" AND audit_key < ").bind(key).push("))");
        }
        sql.push(" ORDER BY made_at DESC, audit_key DESC LIMIT ").bind(page.rows() as u64 + 1);
        let rows = sql.rows(&self.reader, "listing the audit log").await?;
        let lines = rows.iter().map(|row| read(row).map_err(damaged)).collect::<Result<Vec<_>, _>>()?;
        Ok(Listed::cut(lines, page.rows(), |line| (line.at, line.key.clone())))
    }
}

/// Adds the line unless it is there.
pub(crate) fn keep(audit: &Audit) -> Sql {
    let mut sql = Sql::new(
        "INSERT INTO audit (audit_key, tenant, made_at, author, address, object, action, before_json, after_json) \
         VALUES (",
    );
    sql.bind(audit.key.as_str()).push(", ").bind(audit.tenant.as_str()).push(", ").bind(audit.at);
    sql.push(", ").bind(audit.author.as_str()).push(", ").bind(audit.address.as_str());
    sql.push(", ").bind(audit.object.as_str()).push(", ").bind(audit.action.as_str());
    sql.push(", ").bind(audit.before.as_ref().map(Value::to_string));
    sql.push(", ").bind(audit.after.as_ref().map(Value::to_string));
    sql.push(") ON CONFLICT (audit_key) DO NOTHING");
    sql
}

fn read(row: &AnyRow) -> Result<Audit, sqlx::Error> {
    let json =
        |column| row.try_get::<Option<String>, _>(column).map(|text| Audit::json(&text.unwrap_or_default()));
    Ok(Audit {
        key: row.try_get(0)?,
        tenant: row.try_get::<String, _>(1)?.into(),
        at: row.try_get::<i64, _>(2)?.try_into().unwrap_or_default(),
        author: row.try_get(3)?,
        address: row.try_get(4)?,
        object: row.try_get(5)?,
        action: row.try_get(6)?,
        before: json(7)?,
        after: json(8)?,
    })
}

fn damaged(why: sqlx::Error) -> Error {
    Error::Damaged { what: "audit", key: String::new(), why: why.to_string() }
}
