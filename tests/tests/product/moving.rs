//! A company moves from one shard group to another while its people talk and wait, and whoever leads dies meanwhile.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_loadtest::company;
use mangrove_tests::{cluster::APART, product::binary, wait};
use serde_json::Value;

use crate::{
    cluster::UNHEARD_MS,
    office::{Office, group},
};

/// Shard groups that a new cluster has.
const GROUPS: u64 = 16;

impl Office {
    /// Another group than the company's.
    fn elsewhere(&self) -> u64 {
        self.group % GROUPS + 1
    }

    /// Asks to move the company, by a console that is not on the node `but`.
    fn moves(&self, to: u64, but: &str) -> Result<Child> {
        let mut consoles = self.cluster.nodes().iter().filter(|node| node.is_alive() && node.has("console"));
        let node = consoles.find(|node| node.name() != but).context("no other console")?;
        let asked = Command::new(binary()?)
            .args(["-o", "json", "move-tenant", company::TENANT, "--to", &to.to_string()])
            .current_dir(node.folder())
            .env("MANGROVE_SERVER", node.url())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(asked)
    }

    /// The node that leads a group, the directory's included.
    async fn leader(&self, group: u64) -> Option<String> {
        let leads = |node: &Value| {
            let groups = node["report"]["groups"].as_array()?;
            groups.iter().find(|one| one["group"] == group && one["leads"] == true)?;
            node["name"].as_str().map(str::to_owned)
        };
        self.cluster.members().await?.iter().find_map(leads)
    }

    /// The only group that has the company, once no replica of another has it any more.
    async fn home(&self) -> Result<u64> {
        let one = async || {
            let statuses = self.cluster.statuses().await;
            let groups = statuses.iter().filter_map(|status| status["groups"].as_array()).flatten();
            let homes =
                groups.filter(|group| group["tenants"] == 1).filter_map(|group| group["group"].as_u64());
            let homes: BTreeSet<u64> = homes.collect();
            homes.first().copied().filter(|_| homes.len() == 1)
        };
        wait::within(Duration::from_secs(60), "one home", one).await.with_context(|| self.cluster.logs())
    }
}

fn said(child: Child) -> Result<(bool, String)> {
    let output = child.wait_with_output()?;
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_moves_under_its_calls_and_nobody_notices() -> Result<()> {
    let mut office = Office::open(APART, "edge-1").await?;
    for _ in 0..5 {
        let (before, to) = (office.sees().await?, office.elsewhere());
        let (done, text) = said(office.moves(to, "")?)?;
        assert!(done, "{text}\n{}", office.cluster.logs());
        office.group = office.home().await?;
        assert_eq!(office.group, to);
        let after = office.sees().await?;
        assert_eq!(after, before, "{}", office.cluster.logs());
    }
    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_dies_in_the_middle_leaves_the_company_in_one_home() -> Result<()> {
    let mut office = Office::open(APART, "edge-1").await?;
    for round in 0..6 {
        let (before, to) = (office.sees().await?, office.elsewhere());
        // Whoever leads the old home, the new one, or the directory.
        let of = [office.group, to, 0][round % 3];
        let leads = async || office.leader(of).await;
        let leader = wait::until("a leader", leads).await?;
        let asked = office.moves(to, &leader)?;
        tokio::time::sleep(Duration::from_millis(20 * round as u64)).await;
        office.cluster.node_mut(&leader)?.kill()?;
        let (done, text) = said(asked)?;
        office.group = office.home().await?;
        println!("{leader}, leader of group {of}, killed: {done}, in group {}: {text}", office.group);
        assert!(!done || office.group == to, "{text}");
        let seen = office.sees().await?;
        assert_eq!(seen, before, "{leader} killed\n{}", office.cluster.logs());
        office.cluster.node_mut(&leader)?.revive().await?;
    }
    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_moved_stays_and_the_operator_is_told_why() -> Result<()> {
    let product = mangrove_tests::product::Product::with_company().await?;
    let home = group(&product.api()?).await?;
    for (tenant, to, why) in
        [("acme", home, "is in group"), ("acme", 99, "they are 1 to 16"), ("nobody", 1, "there is no tenant")]
    {
        let refused = product.ask(&["move-tenant", tenant, "--to", &to.to_string()]);
        let text = refused.err().context("it was moved")?.to_string();
        assert!(text.contains(why), "{text}");
    }
    assert_eq!(group(&product.api()?).await?, home);
    Ok(())
}
