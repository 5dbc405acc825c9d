//! The company whose calls are simulated, and how it comes into the cluster.

use std::sync::Arc;
use std::time::Duration;

use mangrove_control::Control;
use mangrove_domain::{
    Author, Command,
    config::{
        TenantConfig,
        document::read,
        resolve::{Tools, resolve},
    },
};
use mangrove_membership::{Cluster, Command as Direct};
use mangrove_proto::{
    control::{ProposeRequest, control_client::ControlClient},
    service::Console as _,
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::NODES;

/// Whose calls they are.
pub(crate) const TENANT: &str = "acme";
/// What is called.
pub(crate) const NUMBER: &str = "74951234567";
/// Extensions of the agents.
pub(crate) const AGENTS: [&str; 3] = ["101", "102", "103"];
/// Of a log entry, as control writes it.
const VERSION: u8 = 1;
const AGAIN: Duration = Duration::from_millis(400);

fn document() -> Value {
    let agent = |extension: &&str| {
        json!({
            "extension": extension, "id": format!("a{extension}"), "name": format!("Agent {extension}"),
            "roles": ["agent"],
            "devices": [{"sip": {"username": extension, "password": "sim-sip-password"}}],
        })
    };
    json!({
        "format": 1, "tenant": TENANT, "name": "Acme", "domain": "acme.example",
        "trunks": [{
            "name": "carrier", "from": ["127.0.0.1:5080"],
            "to": [{"uri": "sip:127.0.0.1:5080", "priority": 1}], "caller_ids": [NUMBER],
        }],
        "numbers": [{"number": NUMBER, "scheme": "main"}],
        "employees": AGENTS.iter().map(agent).collect::<Vec<_>>(),
        "groups": [{
            "extension": "200", "name": "Sales", "strategy": "longest-idle", "members": AGENTS,
            "ring": "7s", "wrap_up": "1s",
        }],
        "schemes": [{"name": "main", "steps": [{"play": "default-greeting"}, {"group": "200"}]}],
    })
}

fn config() -> anyhow::Result<TenantConfig> {
    let unreadable = |problem| anyhow::anyhow!("{problem:?}");
    let document = read(document().to_string().as_bytes()).map_err(unreadable)?;
    let tools = Tools { hash: &|_| String::new(), generate: &String::new };
    let resolved = resolve(&document, None, tools);
    Ok(resolved.map_err(|problems| anyhow::anyhow!("{problems:?}"))?.config)
}

/// Sees to it that the company is there: whoever leads its group configures it. Repeating it changes nothing.
pub(crate) async fn found(cluster: Cluster, control: Control) {
    while control.live(TENANT).await.is_err() {
        if let Err(error) = configure(&cluster).await {
            tracing::debug!(%error, "the company is not founded by this node");
        }
        sleep(AGAIN).await;
    }
}

async fn configure(cluster: &Cluster) -> anyhow::Result<()> {
    let directory = cluster.directory();
    let Some(home) = directory.home(TENANT) else {
        anyhow::ensure!(directory.members.len() == NODES, "the cluster is not whole yet");
        cluster.propose_directory(Direct::PlaceTenant { tenant: TENANT.into() }).await?;
        return Ok(());
    };
    let leads = cluster.group(home.group).is_some_and(|group| group.leadership().is_leader());
    anyhow::ensure!(leads, "another node leads");
    let command = Command::ConfigureTenant {
        config: Arc::new(config()?),
        epoch: home.epoch,
        author: Author::default(),
        changes: Vec::new(),
    };
    let mut commands = vec![VERSION];
    rmp_serde::encode::write_named(&mut commands, &[command])?;
    let own = directory.member(cluster.node()).map(|member| member.address.clone());
    let channel = cluster.channel(&own.unwrap_or_default())?;
    let request =
        ProposeRequest { group: home.group, commands: commands.into(), ..ProposeRequest::default() };
    ControlClient::new(channel).propose(request).await?;
    Ok(())
}
