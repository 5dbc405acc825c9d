//! Several nodes as one product: processes of their own on one machine, over one database and one folder of recordings.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    api::Api,
    product::{Fragile, Options, Product},
    wait,
};

/// A node's name and roles.
pub type Seat = (&'static str, &'static [&'static str]);

/// Three nodes that are all alike.
pub const ALIKE: &[Seat] =
    &[("a", crate::product::ALL), ("b", crate::product::ALL), ("c", crate::product::ALL)];

/// Roles in processes of their own.
pub const APART: &[Seat] = &[
    ("a", &["control", "console"]),
    ("b", &["control", "console"]),
    ("c", &["control", "console"]),
    ("edge-1", &["edge"]),
    ("edge-2", &["edge"]),
    ("media-1", &["media"]),
    ("media-2", &["media"]),
];

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Product>,
    common: TempDir,
}

impl Cluster {
    /// Starts the first node, then the others, which join it, and waits until every group has its replicas.
    pub async fn start(seats: &[Seat]) -> Result<Self> {
        Self::start_with(seats, |_| None).await
    }

    /// As `start`, with nodes of which something can be broken.
    pub async fn start_with(seats: &[Seat], fragile: impl Fn(&str) -> Option<Fragile>) -> Result<Self> {
        let common = tempfile::tempdir()?;
        let mut nodes: Vec<Product> = Vec::new();
        for (name, roles) in seats {
            let join: Vec<SocketAddr> = nodes.first().map(Product::grpc_address).into_iter().collect();
            let options = Options { fragile: fragile(name), ..options(name, roles, join, common.path()) };
            nodes.push(Product::start_at(options).await?);
        }
        Self::of(nodes, common).await
    }

    /// A node that joins; it is ready, and has no part in the groups yet.
    pub async fn join(&mut self, (name, roles): Seat) -> Result<()> {
        let living = self.nodes.iter().filter(|node| node.is_alive() && node.has("control"));
        let join = living.map(Product::grpc_address).collect();
        let options = options(name, roles, join, self.common.path());
        self.nodes.push(Product::start_at(options).await?);
        Ok(())
    }

    /// Forgets a node that has left, and ends its process.
    pub fn forget(&mut self, name: &str) {
        self.nodes.retain(|node| node.name() != name);
    }

    /// Of nodes that share a folder, once every group has its replicas.
    pub async fn of(nodes: Vec<Product>, common: TempDir) -> Result<Self> {
        let cluster = Self { nodes, common };
        cluster.settles(Duration::from_secs(60)).await?;
        Ok(cluster)
    }

    /// What the nodes share: recordings, and records too if they are on one machine.
    pub fn common(&self) -> &Path {
        self.common.path()
    }

    /// A node by its name.
    pub fn node(&self, name: &str) -> Result<&Product> {
        self.nodes.iter().find(|node| node.name() == name).with_context(|| format!("no node {name}"))
    }

    /// A node by its name, to be killed or revived.
    pub fn node_mut(&mut self, name: &str) -> Result<&mut Product> {
        self.nodes.iter_mut().find(|node| node.name() == name).with_context(|| format!("no node {name}"))
    }

    /// A node that runs and has pages.
    pub fn console(&self) -> Result<&Product> {
        let mut nodes = self.nodes.iter().filter(|node| node.is_alive());
        nodes.find(|node| node.has("console")).context("no node with a console is alive")
    }

    /// The API of a node that runs.
    pub fn api(&self) -> Result<Api> {
        self.console()?.api()
    }

    /// What every living control node tells of itself.
    pub async fn statuses(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for node in self.nodes.iter().filter(|node| node.is_alive() && node.has("console")) {
            if let Ok(api) = node.api() {
                all.extend(api.node("/status").await.ok());
            }
        }
        all
    }

    /// A member as the cluster sees it.
    pub async fn member(&self, name: &str) -> Option<Value> {
        self.members().await?.into_iter().find(|node| node["name"] == name)
    }

    /// Who carries a member's addresses.
    pub async fn carrier(&self, name: &str) -> Option<String> {
        let carries = |node: &Value| node["carries"].as_array().is_some_and(|all| all.contains(&name.into()));
        self.members().await?.iter().find(|node| carries(node))?["name"].as_str().map(str::to_owned)
    }

    /// The node that leads a group.
    pub async fn leader(&self, group: u64) -> Option<String> {
        let leads = |status: &Value| {
            let groups = status["groups"].as_array()?;
            groups.iter().find(|one| one["group"] == group && one["state"] == "leader")?;
            status["node"].as_str().map(str::to_owned)
        };
        self.statuses().await.iter().find_map(leads)
    }

    /// The node that leads a group, once one does.
    pub async fn led_by(&self, group: u64) -> Result<String> {
        let leader = wait::until("a leader", async || self.leader(group).await);
        leader.await.with_context(|| self.logs())
    }

    /// Waits until some node but `other` leads a group; how long that took.
    pub async fn leader_but(&self, group: u64, other: &str) -> Result<(String, Duration)> {
        let since = Instant::now();
        let leader =
            wait::until("another leader", async || self.leader(group).await.filter(|leader| leader != other));
        Ok((leader.await.with_context(|| self.logs())?, since.elapsed()))
    }

    /// All nodes, alive or not.
    pub fn nodes(&self) -> &[Product] {
        &self.nodes
    }

    /// The members as the cluster sees them, each asked for its numbers; none when nobody tells.
    pub async fn members(&self) -> Option<Vec<Value>> {
        self.api().ok()?.node("/cluster/nodes").await.ok()?.as_array().cloned()
    }

    /// What all nodes printed.
    pub fn logs(&self) -> String {
        self.nodes.iter().map(|node| format!("--- {}\n{}\n", node.name(), node.log())).collect()
    }

    /// Every group has as many voters as it should have, here and as everybody sees it, and is led by whom the plan names:
    /// while a lead moves new calls may be refused.
    pub async fn settles(&self, limit: Duration) -> Result<()> {
        let control = self.nodes.iter().filter(|node| node.has("control")).count();
        let members = self.nodes.len();
        let settled = wait::within(limit, "the groups to have their replicas", async || {
            let statuses = self.statuses().await;
            let all = statuses.len() == self.nodes.iter().filter(|node| node.has("console")).count();
            let held =
                |status: &Value| self.node(status["node"].as_str()?).ok().map(|node| node.has("control"));
            let voted = all
                && statuses
                    .iter()
                    .all(|status| is_settled(status, held(status) == Some(true), control.min(3), members));
            (voted && self.members().await?.iter().all(leads_as_planned)).then_some(())
        });
        settled.await.with_context(|| self.logs())
    }
}

fn leads_as_planned(member: &Value) -> bool {
    member["alive"] == true && member["report"]["leads"] == member["planned_leads"]
}

/// `holds`: whether it may hold groups.
fn is_settled(status: &Value, holds: bool, voters: usize, members: usize) -> bool {
    let count = |value: &Value| value.as_array().map_or(0, Vec::len);
    let groups = status["groups"].as_array().cloned().unwrap_or_default();
    let has_all = groups.iter().all(|group| count(&group["voters"]) == voters && group["changing"] == false);
    groups.is_empty() != holds
        && has_all
        && count(&status["trouble"]) == 0
        && count(&status["members"]) == members
}

/// A debug binary beside its testers on two cores is not overloaded when one sync takes long: nobody is turned away for it.
pub const PATIENT: &str = if cfg!(debug_assertions) { "[limits]\nlag_ms = 30000\n" } else { "" };

fn options(name: &str, roles: &'static [&'static str], join: Vec<SocketAddr>, common: &Path) -> Options {
    let more = PATIENT;
    Options { name: name.into(), roles, join, common: Some(common.into()), more, ..Options::default() }
}
