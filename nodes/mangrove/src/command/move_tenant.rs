//! `mangrove move-tenant TENANT --to GROUP`: returns when the tenant is there. Refused, and nothing changed, where it
//! can't go.

use anyhow::Result;
use serde_json::json;

use super::Session;
use crate::output;

pub(crate) async fn move_tenant(session: &Session, tenant: &str, to: u32) -> Result<()> {
    session.client.post_with(&["tenants", tenant, "move"], &json!({ "group": to })).await?;
    output::show(session.arguments.output, &json!({ "tenant": tenant, "group": to }), || {
        format!("{tenant} is in group {to} now\n")
    })
}
