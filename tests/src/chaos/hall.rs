//! A company on a cluster under continuous load: all its agents in talk, more callers in line, new ones coming.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result};
use mangrove_loadtest::{Swarm, Target, company, ledger::Ledger};
use serde_json::Value;

use super::{Layout, Plan};
use crate::{api::Api, cluster::Cluster, floor::Floor, ports, wait};

/// How long the last calls may take to end beyond the longest talk.
const LAST_CALLS: Duration = Duration::from_secs(60);
/// How long after that every call must have its record.
const RECORDS: Duration = Duration::from_secs(30);

/// A running cluster with callers and agents.
#[derive(Debug)]
pub struct Hall {
    pub(super) cluster: Cluster,
    swarm: Swarm,
    longest: Duration,
    pub(super) edge: &'static str,
    /// The company's.
    pub(super) group: u64,
    agents: usize,
    calls: usize,
}

/// What is left of it when all calls have ended.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) ledger: Ledger,
    pub(super) records: Vec<Value>,
    pub(super) trouble: Vec<String>,
    logs: Vec<(String, String)>,
}

impl Hall {
    /// Starts all processes and the load, and waits until the line is full.
    pub async fn open(plan: &Plan, layout: Layout) -> Result<Self> {
        let cluster = Cluster::start(layout.seats()).await?;
        let carrier = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let (document, agents) = company::document(plan.agents(), carrier, 1);
        cluster.console()?.apply(&serde_json::to_string_pretty(&document)?)?;
        let api = cluster.api()?.tenant(company::TENANT);
        for account in &agents {
            api.agent(&account.agent, "available").await?;
        }
        let (group, profile) = (group(&api).await?, plan.profile());
        let (edge, longest) = (layout.edge(), Duration::from_secs_f64(profile.talk.1));
        let server = cluster.node(edge)?.sip_address();
        let (domain, called) = (company::DOMAIN.into(), company::NUMBER.into());
        let target = Target { server, carrier, domain, called, agents };
        let swarm = Swarm::start(profile, target).await?;
        let hall = Self { cluster, swarm, longest, edge, group, agents: plan.agents(), calls: plan.calls };
        hall.fills(Duration::from_secs(120)).await.with_context(|| hall.cluster.logs())?;
        Ok(hall)
    }

    /// As any living console shows it.
    pub(super) async fn floor(&self) -> Option<Floor> {
        Floor::now(&self.cluster.api().ok()?.tenant(company::TENANT)).await
    }

    /// Calls so far, in words.
    pub fn load(&self) -> String {
        let tally = self.swarm.ledger().tally();
        format!("{} on the line, {} talked, {} failed", tally.live, tally.talked, tally.failed)
    }

    /// Waits until all is as it should be: members alive and without trouble, every group led.
    pub(super) async fn settles(&self, limit: Duration) -> Result<()> {
        let alive = wait::within(limit, "all members to be alive and without trouble", async || {
            let members = self.cluster.members().await?;
            let well = members.len() == self.cluster.nodes().len() && members.iter().all(is_well);
            well.then_some(())
        });
        if let Err(why) = alive.await {
            anyhow::bail!("{why}: {}", self.unwell().await);
        }
        let replicas = self.cluster.settles(limit).await;
        replicas.map_err(|why| anyhow::anyhow!("{}", why.root_cause()))?;
        wait::within(limit, "every group to have its leader", async || self.is_led().await.then_some(()))
            .await?;
        self.fills(limit).await
    }

    async fn is_led(&self) -> bool {
        let statuses = self.cluster.statuses().await;
        let groups = |status: &Value| status["groups"].as_array().cloned().unwrap_or_default();
        let led = statuses.iter().flat_map(groups).filter(|group| group["state"] == "leader");
        let led: std::collections::BTreeSet<_> = led.filter_map(|group| group["group"].as_u64()).collect();
        let known = statuses.iter().flat_map(groups).filter_map(|group| group["group"].as_u64());
        let known: std::collections::BTreeSet<_> = known.collect();
        !known.is_empty() && led == known
    }

    async fn unwell(&self) -> String {
        let Some(members) = self.cluster.members().await else { return "nobody lists the members".into() };
        let tell = |one: &Value| {
            format!("{} alive {} trouble {}", one["name"], one["alive"], one["report"]["trouble"])
        };
        members.iter().filter(|one| !is_well(one)).map(tell).collect::<Vec<_>>().join("; ")
    }

    /// Nine tenths of the calls, and of the agents in talk most: some are between two calls.
    pub(super) async fn fills(&self, limit: Duration) -> Result<()> {
        let full =
            |floor: &Floor| floor.talks.len() * 4 >= self.agents * 3 && floor.calls() * 10 >= self.calls * 8;
        let filled = wait::within(limit, "agents in talk and the line full", async || {
            self.floor().await.filter(full).map(drop)
        });
        if let Err(why) = filled.await {
            let floor = self.floor().await.map(|floor| (floor.talks.len(), floor.line.len()));
            anyhow::bail!("{why}: (talks, in line) {floor:?} of {} agents; {}", self.agents, self.load());
        }
        Ok(())
    }

    /// Lets all calls come to their end, and takes their records and everything the nodes printed.
    pub(super) async fn close(self) -> Closed {
        let mut trouble = Vec::new();
        self.swarm.close();
        self.swarm.finish(self.longest * 2 + LAST_CALLS).await;
        let ledger = self.swarm.ledger().clone();
        let records = self.records(&ledger).await.unwrap_or_else(|why| {
            trouble.push(format!("call records: {why:#}"));
            Vec::new()
        });
        let logs = self.cluster.nodes().iter().map(|node| (node.name().to_owned(), node.log())).collect();
        Closed { ledger, records, trouble, logs }
    }

    /// When there are as many as calls, or after a while: fewer are a finding.
    async fn records(&self, ledger: &Ledger) -> Result<Vec<Value>> {
        let api = self.cluster.api()?.tenant(company::TENANT);
        let answered = ledger.calls().iter().filter(|call| call.connected_ms.is_some()).count();
        let all = wait::within(RECORDS, "records of all calls", async || {
            api.all_cdrs().await.ok().filter(|records| records.len() >= answered)
        });
        match all.await {
            Ok(records) => Ok(records),
            Err(_) => api.all_cdrs().await,
        }
    }
}

impl Closed {
    /// The ledger as JSON and each node's output, in this folder.
    pub(super) fn keep(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let ledger = serde_json::json!({ "calls": self.ledger.calls(), "offers": self.ledger.offers() });
        std::fs::write(folder.join("ledger.json"), ledger.to_string())?;
        std::fs::write(folder.join("records.json"), Value::from(self.records.clone()).to_string())?;
        for (name, log) in &self.logs {
            std::fs::write(folder.join(format!("{name}.log")), log)?;
        }
        Ok(())
    }
}

fn is_well(member: &Value) -> bool {
    let trouble = member["report"]["trouble"].as_array();
    member["alive"] == true && trouble.is_some_and(Vec::is_empty)
}

/// The group that holds the company.
async fn group(api: &Api) -> Result<u64> {
    let status = api.node("/status").await?;
    let groups = status["groups"].as_array().cloned().unwrap_or_default();
    let holds = groups.iter().find(|group| group["tenants"] == 1).with_context(|| status.to_string())?;
    holds["group"].as_u64().context("a group without a number")
}
