//! A company on a cluster under continuous load: all its agents in talk, more callers in line, new ones coming.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use mangrove_loadtest::{
    Swarm, Target, company,
    ledger::{End, Ledger},
};
use serde_json::Value;

use super::{Layout, Net, Plan, Row, strike::network};
use crate::{
    api::Api,
    cluster::Cluster,
    floor::Floor,
    machines::{Machines, OFFICE},
    ports, wait,
};

/// How long the last calls may take to end beyond the longest talk.
const LAST_CALLS: Duration = Duration::from_secs(60);
/// How long after that every call must have its record.
const RECORDS: Duration = Duration::from_secs(30);

/// Longer than it takes to hand a member's addresses over, from the moment when they are said to be its own.
const HANDED_OVER: Duration = Duration::from_secs(1);

/// A running cluster with callers and agents.
#[derive(Debug)]
pub struct Hall {
    pub(super) cluster: Cluster,
    swarm: Swarm,
    longest: Duration,
    pub(super) layout: Layout,
    /// The company's.
    pub(super) group: u64,
    agents: usize,
    calls: usize,
    /// Those of the nodes, when each has one.
    machines: Option<Machines>,
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
    pub async fn open(plan: &Plan, row: Row, layout: Layout) -> Result<Self> {
        let (own, machines, cluster) = nodes(plan.net(row), row, layout).await?;
        let carrier = SocketAddr::new(own, ports::free());
        let (document, agents) = company::document(plan.agents(), carrier, 1);
        cluster.console()?.apply(&serde_json::to_string_pretty(&document)?)?;
        let api = cluster.api()?.tenant(company::TENANT);
        for account in &agents {
            api.agent(&account.agent, "available").await?;
        }
        let (group, profile) = (group(&api).await?, plan.profile());
        let longest = Duration::from_secs_f64(profile.talk.1);
        let server = cluster.node(layout.edge())?.sip_address();
        let (domain, called) = (company::DOMAIN.into(), company::NUMBER.into());
        let target = Target { server, carrier, domain, called, agents };
        let swarm = Swarm::start(profile, target).await?;
        let (agents, calls) = (plan.agents(), plan.calls);
        let hall = Self { cluster, swarm, longest, layout, group, agents, calls, machines };
        hall.fills(Duration::from_secs(120)).await.with_context(|| hall.cluster.logs())?;
        Ok(hall)
    }

    /// The machines of the nodes.
    pub(super) fn machines(&mut self) -> Result<&mut Machines> {
        self.machines.as_mut().context("the nodes have no machines of their own")
    }

    /// Lets new callers come though the line is full and no call ends, or no longer.
    pub(super) fn lets_in(&self, is_open: bool) {
        self.swarm.limit(if is_open { self.calls * 2 } else { self.calls });
    }

    /// How many elections those of the groups have seen, as the nodes that can be asked know.
    pub(super) async fn elections(&self, which: impl Fn(u64) -> bool) -> u64 {
        let mut terms: BTreeMap<u64, u64> = BTreeMap::new();
        for status in self.cluster.statuses().await {
            for group in status["groups"].as_array().into_iter().flatten() {
                let number = group["group"].as_u64().unwrap_or_default();
                let term = terms.entry(number).or_default();
                *term = group["term"].as_u64().unwrap_or_default().max(*term);
            }
        }
        terms.into_iter().filter(|(group, _)| which(*group)).map(|(_, term)| term).sum()
    }

    /// As `elections`, of the company's group.
    pub(super) async fn company_elections(&self) -> u64 {
        self.elections(|group| group == self.group).await
    }

    /// Commands of leaders that were replaced, refused by each node's edges and media nodes since its start.
    pub(super) async fn late_commands(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for node in self.cluster.nodes().iter().filter(|node| node.is_alive()) {
            let figures = async { node.api().ok()?.text("/metrics").await.ok() };
            if let Some(figures) = figures.await {
                counts.insert(node.name().to_owned(), late(&figures));
            }
        }
        counts
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

    /// Waits until all is as it should be: the cluster well, and the line full.
    pub(super) async fn settles(&self, limit: Duration) -> Result<()> {
        self.is_well(limit).await?;
        self.fills(limit).await.map(drop)
    }

    /// Waits until the cluster is well: members alive and without trouble, every group with its replicas and led.
    pub(super) async fn is_well(&self, limit: Duration) -> Result<()> {
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
            .await
    }

    /// Waits until every member has had its addresses for a while: who dies while its heir still has them hits nobody.
    pub(super) async fn comes_home(&self, limit: Duration) -> Result<()> {
        let mut since = None;
        wait::within(limit, "every member to have its addresses", async || {
            let at_home = self.cluster.members().await?.iter().all(is_at_home);
            since = since.filter(|_| at_home).or(at_home.then(Instant::now));
            (since?.elapsed() > HANDED_OVER).then_some(())
        })
        .await
    }

    async fn is_led(&self) -> bool {
        let statuses = self.cluster.statuses().await;
        let groups = |status: &Value| status["groups"].as_array().cloned().unwrap_or_default();
        let led = statuses.iter().flat_map(groups).filter(|group| group["state"] == "leader");
        let led: BTreeSet<_> = led.filter_map(|group| group["group"].as_u64()).collect();
        let known = statuses.iter().flat_map(groups).filter_map(|group| group["group"].as_u64());
        let known: BTreeSet<_> = known.collect();
        !known.is_empty() && led == known
    }

    async fn unwell(&self) -> String {
        let Some(members) = self.cluster.members().await else { return "nobody lists the members".into() };
        let tell = |one: &Value| {
            format!("{} alive {} trouble {}", one["name"], one["alive"], one["report"]["trouble"])
        };
        members.iter().filter(|one| !is_well(one)).map(tell).collect::<Vec<_>>().join("; ")
    }

    /// Nine tenths of the calls, and of the agents in talk most: some are between two calls. The floor as it is then.
    pub(super) async fn fills(&self, limit: Duration) -> Result<Floor> {
        let full =
            |floor: &Floor| floor.talks.len() * 4 >= self.agents * 3 && floor.calls() * 10 >= self.calls * 8;
        let filled =
            wait::within(limit, "agents in talk and the line full", async || self.floor().await.filter(full));
        match filled.await {
            Ok(floor) => Ok(floor),
            Err(why) => {
                let floor = self.floor().await.map(|floor| (floor.talks.len(), floor.line.len()));
                let (agents, load) = (self.agents, self.load());
                anyhow::bail!("{why}: (talks, in line) {floor:?} of {agents} agents; {load}")
            }
        }
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

    /// When every caller who was answered has one, with the recording of whoever talked, or after a while: fewer are a
    /// finding. A recording may be finished after its record. Some who were turned away have one too.
    async fn records(&self, ledger: &Ledger) -> Result<Vec<Value>> {
        let api = self.cluster.api()?.tenant(company::TENANT);
        let calls = ledger.calls();
        let has_all = |records: &Vec<Value>| {
            let recorded: BTreeMap<_, _> =
                records.iter().filter_map(|one| Some((caller(one)?, one))).collect();
            let mut answered = calls.iter().filter(|call| call.connected_ms.is_some());
            answered.all(|call| {
                let record = recorded.get(call.caller.as_str());
                record.is_some_and(|record| call.end != End::Talked || has_recording(record))
            })
        };
        let all =
            wait::within(RECORDS, "records of all calls", async || api.all_cdrs().await.ok().filter(has_all));
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

/// The cluster, on machines or not, and the address of those who call.
async fn nodes(net: Net, row: Row, layout: Layout) -> Result<(IpAddr, Option<Machines>, Cluster)> {
    let (seats, profile) = (layout.seats(), row.profile());
    let (mut machines, cluster) = match net {
        Net::Loopback => return Ok((Ipv4Addr::LOCALHOST.into(), None, Cluster::start(seats).await?)),
        Net::Machines => Machines::start(seats, profile).await?,
        Net::Fixed => Machines::start_fixed(seats, profile).await?,
    };
    if row == Row::Far {
        let names: Vec<_> = cluster.nodes().iter().map(|node| node.name().to_owned()).collect();
        network::spread(&mut machines, &names)?;
    }
    Ok((OFFICE.into(), Some(machines), cluster))
}

/// What edges and media nodes count of commands that a fence kept out, in a node's metrics.
fn late(figures: &str) -> u64 {
    const COUNTERS: [&str; 2] =
        [r#"mangrove_edge_commands_total{outcome="late"}"#, r#"media_commands_late_total{reason="fence"}"#];
    let value = |counter: &str| {
        let line = figures.lines().find_map(|line| line.strip_prefix(counter))?;
        line.trim().parse::<u64>().ok()
    };
    COUNTERS.into_iter().filter_map(value).sum()
}

/// Whose call a record is of, as the load writes numbers.
pub(super) fn caller(record: &Value) -> Option<&str> {
    Some(record["caller"].as_str()?.trim_start_matches('+'))
}

fn has_recording(record: &Value) -> bool {
    record["recordings"].as_array().is_some_and(|recordings| !recordings.is_empty())
}

fn is_well(member: &Value) -> bool {
    let trouble = member["report"]["trouble"].as_array();
    member["alive"] == true && trouble.is_some_and(Vec::is_empty)
}

/// Whether the member's addresses, if it has any, are not with an heir.
fn is_at_home(member: &Value) -> bool {
    let has = |key: &str, one: &Value| member[key].as_array().is_some_and(|all| all.contains(one));
    let has_addresses = ["edge", "media"].into_iter().any(|role| has("roles", &role.into()));
    !has_addresses || has("carries", &member["name"])
}

/// The group that holds the company.
async fn group(api: &Api) -> Result<u64> {
    let status = api.node("/status").await?;
    let groups = status["groups"].as_array().cloned().unwrap_or_default();
    let holds = groups.iter().find(|group| group["tenants"] == 1).with_context(|| status.to_string())?;
    holds["group"].as_u64().context("a group without a number")
}

#[cfg(test)]
mod tests {
    #[test]
    fn commands_that_a_fence_kept_out_are_summed_up() {
        let figures = "# TYPE mangrove_edge_commands_total counter\n\
            mangrove_edge_commands_total{outcome=\"executed\"} 90\n\
            mangrove_edge_commands_total{outcome=\"late\"} 4\n\
            media_commands_late_total{reason=\"newer\"} 7\nmedia_commands_late_total{reason=\"fence\"} 2\n";
        assert_eq!((super::late(figures), super::late("")), (6, 0));
    }
}
