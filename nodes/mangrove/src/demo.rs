//! `mangrove demo`: a cluster of three nodes, each a process of its own, with a company, callers and agents to look at,
//! and with buttons to kill nodes. Callers and agents are real SIP and RTP over loopback; nothing of the product knows
//! that they are simulated.

mod company;
mod crew;
mod door;
mod layout;
mod wire;

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use mangrove_loadtest::Swarm;
use mangrove_membership::NodeStatus;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep},
};

use crate::{
    arguments::{self, Format},
    client::Client,
    configuration::Configuration,
    output,
    telemetry::Telemetry,
    token::Token,
};
use company::Company;
use crew::Crew;
use layout::Layout;
pub(crate) use wire::parent;

/// Three nodes that begin together and have to make all replicas may take this long on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Nodes that were killed let go of their addresses in less.
const VACATING: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// Runs until it is told to stop.
pub(crate) async fn demo(
    options: &arguments::Demo,
    mut configuration: Configuration,
    format: Format,
) -> Result<()> {
    let layout = Layout::of(options)?;
    vacant(&layout).await?;
    layout.write(&configuration)?;
    configuration.telemetry.level = format!("warn,{}", configuration.telemetry.level.replace("info", "warn"));
    let telemetry = Telemetry::start(&configuration)?;
    let mut stop = Stop::new()?;
    let token = Token::find_or_create(&layout.data)?;
    let page = door::open(options.listen, layout.pages()).await?;
    let (parent, mut orders) = wire::listen().await?;
    let environment = vec![("MANGROVE_TOKEN", token.secret().to_owned()), (wire::VARIABLE, parent)];
    let mut crew = Crew::start(layout.clone(), environment)?;
    let ended = tokio::select! {
        () = crew.obey(&mut orders) => Ok(()),
        () = stop.asked() => Ok(()),
        played = play(&layout, page, &token, format) => played,
    };
    crew.end().await;
    tokio::task::spawn_blocking(|| telemetry.stop()).await?;
    ended
}

/// Waits until nobody has the nodes' addresses any more.
async fn vacant(layout: &Layout) -> Result<()> {
    let deadline = Instant::now() + VACATING;
    while let Some(address) = layout.taken() {
        ensure!(
            Instant::now() < deadline,
            "{address} of the demo in {} is in use: end the demo that runs there, or give another --data and --sip",
            layout.data.display()
        );
        sleep(BETWEEN_LOOKS).await;
    }
    Ok(())
}

/// Callers call and agents answer until this is dropped; the callers hang up then.
async fn play(layout: &Layout, page: SocketAddr, token: &Token, format: Format) -> Result<()> {
    let client = Client::new(&format!("http://{page}"), token.clone())?;
    settled(layout, &client).await?;
    let _swarms = populate(layout, &client).await?;
    welcome(page, token, format)?;
    std::future::pending().await
}

/// Waits until every group has all its replicas: from then on any node may be killed.
async fn settled(layout: &Layout, client: &Client) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        // Nodes that begin don't answer yet, or know of no leader.
        let nodes =
            client.get(&["cluster", "nodes"]).await.ok().and_then(|nodes| Vec::deserialize(nodes).ok());
        if nodes.is_some_and(|nodes| are_settled(&nodes, layout.seats.len())) {
            return Ok(());
        }
        let logs = layout.data.join("*/log.txt");
        ensure!(
            Instant::now() < deadline,
            "the nodes did not settle within {PATIENCE:?}: see {}",
            logs.display()
        );
        sleep(BETWEEN_LOOKS).await;
    }
}

fn are_settled(nodes: &[NodeStatus], count: usize) -> bool {
    let has_all = |node: &NodeStatus| {
        let Some(report) = &node.report else { return false };
        let in_all = report.groups.iter().all(|group| group.voters.len() == count && !group.changing);
        node.alive && report.trouble.is_empty() && report.replicas == node.planned && in_all
    };
    nodes.len() == count && nodes.iter().all(has_all)
}

/// Lets people in: each number's callers at another node.
async fn populate(layout: &Layout, client: &Client) -> Result<Vec<Swarm>> {
    let company = Company::new()?;
    apply(&company, client).await?;
    let [first, .., last] = layout.seats.as_slice() else { anyhow::bail!("the demo has too few nodes") };
    company.swarms([first.sip, last.sip]).await
}

/// Applies the company through the API, as anybody would.
async fn apply(company: &Company, client: &Client) -> Result<()> {
    let document = serde_json::to_value(&company.document)?;
    let deadline = Instant::now() + PATIENCE;
    let answer = loop {
        match client.configure(&company.document.tenant, &document, false).await {
            // Leads are still being spread over the nodes: while one moves its group answers nobody.
            Err(error) if error.is_passing() && Instant::now() < deadline => sleep(BETWEEN_LOOKS).await,
            answer => break answer?,
        }
    };
    let problems = answer["problems"].as_array().map(Vec::len).unwrap_or_default();
    ensure!(problems == 0, "the demo's company can't be applied: {}", answer["problems"]);
    Ok(())
}

/// Signals that end the demo.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> Result<Self> {
        let watch = |kind| signal(kind).context("signals can't be watched");
        Ok(Self { terminate: watch(SignalKind::terminate())?, interrupt: watch(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn welcome(page: SocketAddr, token: &Token, format: Format) -> Result<()> {
    let page = format!("http://{page}");
    let logins = json!({ "supervisor": "vera@demo.example", "agent": "anna@demo.example", "password": "demo-password" });
    let answer = json!({ "page": page, "logins": logins, "token": token.origin() });
    output::show(format, &answer, || {
        format!(
            "The demo is running, three nodes: open {page}\n\
             supervisor: vera@demo.example   agent: anna@demo.example   password of both: demo-password\n\
             kill nodes and start them again: {page}/#/cluster, as the supervisor\n\
             administrator's token: {}   stop with Ctrl-C\n",
            token.origin()
        )
    })
}
