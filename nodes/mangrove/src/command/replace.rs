//! `mangrove replace OLD`: gives up a dead node. The new one joins as any node does, before or after.

use anyhow::Result;
use serde_json::json;

use super::Session;
use crate::output;

pub(crate) async fn replace(session: &Session, node: &str) -> Result<()> {
    session.client.post(&["cluster", "nodes", node, "replace"]).await?;
    output::show(session.arguments.output, &json!({ "replaced": node }), || {
        format!(
            "{node} is given up: it leaves when the groups have enough replicas without it\n\
             start the new node with cluster.join; it may have the name {node}. `mangrove nodes` shows how far it is\n"
        )
    })
}
