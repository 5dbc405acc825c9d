//! `mangrove monitor CALL MODE --as EMPLOYEE`: a supervisor beside a live call.

use anyhow::Result;
use serde_json::json;

use super::Session;
use crate::output;

pub(crate) async fn monitor(session: &Session, call: &str, mode: &str, supervisor: &str) -> Result<()> {
    let tenant = session.tenant().await?;
    let path = ["tenants", tenant.as_str(), "calls", call, "monitor"];
    match mode {
        "stop" => session.client.delete_with(&path, &[("employee", supervisor)]).await?,
        _ => session.client.post_with(&path, &json!({ "mode": mode, "employee": supervisor })).await?,
    };
    output::show(
        session.arguments.output,
        &json!({ "call": call, "mode": mode, "employee": supervisor }),
        || match mode {
            "stop" => format!("{supervisor} leaves {call}\n"),
            _ => format!("{supervisor}: {mode}, in {call}\n"),
        },
    )
}
