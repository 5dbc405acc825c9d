//! `mangrove leave NODE`: refused while a group counts on the node.

use anyhow::Result;
use serde_json::json;

use super::Session;
use crate::output;

pub(crate) async fn leave(session: &Session, node: &str) -> Result<()> {
    session.client.delete(&["cluster", "nodes", node]).await?;
    output::show(session.arguments.output, &json!({ "left": node }), || {
        format!("{node} has left the cluster: stop it, and empty its data folder before it joins again\n")
    })
}
