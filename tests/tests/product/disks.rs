//! Disks that fail under calls: syncs with errors, no room. Who has the disk stops acknowledging at once, another leads, and
//! nobody on the phone notices.

use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_tests::{
    cluster::{APART, Cluster},
    disk::Sync,
    people::ANNA,
    product::{Fragile, Options, Product},
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};
use serde_json::Value;

use crate::{cluster::UNHEARD_MS, office::Office};

/// How long a process may take to end once its disk has failed.
pub(crate) const ENDS: Duration = Duration::from_secs(20);
/// Room for a node's data in a test, megabytes: for some files of the log as they are set up ahead.
pub(crate) const ROOM: u32 = 192;

pub(crate) fn is_voter(name: &str) -> bool {
    name.len() == 1
}

impl Office {
    /// The node's process has ended because of its disk, another leads, and nobody has lost anything.
    async fn goes_on_without(&mut self, name: &str) -> Result<()> {
        let ended = self.cluster.node_mut(name)?.ends(ENDS).await?;
        let log = self.cluster.node(name)?.log();
        assert!(!ended.success() && log.contains("the disk failed"), "{ended}: {log}");
        let (next, took) = self.cluster.leader_but(self.group, name).await?;
        println!("{name}'s disk failed, {next} leads, seen {took:.2?} after its end");
        Ok(())
    }

    /// What a supervisor does on a disk that is no better: the start is refused, or ends again.
    async fn can_not_start(&mut self, name: &str) -> Result<()> {
        let node = self.cluster.node_mut(name)?;
        node.launch()?;
        let ended = node.ends(ENDS).await?;
        assert!(!ended.success(), "{}", node.log());
        Ok(())
    }

    pub(crate) async fn comes_back(&mut self, name: &str) -> Result<()> {
        self.cluster.node_mut(name)?.revive().await?;
        self.cluster.settles(Duration::from_secs(60)).await
    }

    pub(crate) async fn leading(&self) -> Result<String> {
        self.cluster.led_by(self.group).await
    }
}

/// Row 17: an error once, which a second sync of the same file would hide, and a disk that is broken for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_disk_fails_to_sync_leaves_and_no_call_is_lost() -> Result<()> {
    let fragile = |name: &str| is_voter(name).then_some(Fragile::Sync);
    let mut office = Office::open_on(Cluster::start_with(APART, fragile).await?, "edge-1").await?;
    let before = office.sees().await?;

    let leader = office.leading().await?;
    office.cluster.node(&leader)?.faults()?.set(Sync::FailsOnce)?;
    office.goes_on_without(&leader).await?;
    // Its next process would have an error of its own.
    office.cluster.node(&leader)?.faults()?.set(Sync::Works)?;
    office.comes_back(&leader).await?;

    let leader = office.leading().await?;
    office.cluster.node(&leader)?.faults()?.set(Sync::FailsAlways)?;
    office.goes_on_without(&leader).await?;
    office.can_not_start(&leader).await?;
    let after = office.sees().await?;
    assert_eq!(after, before, "{}", office.cluster.logs());
    office.cluster.node(&leader)?.faults()?.set(Sync::Works)?;
    office.comes_back(&leader).await?;

    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}

/// A company with so many numbers that its changes soon take what the log has made ahead.
fn large_company(product: &Product, name: u32) -> Result<String> {
    let source = "where this number is advertised, ".repeat(3);
    let source = source.trim_end();
    let number =
        |number| format!("  - {{number: \"7495{number:07}\", scheme: main, source: \"{source}\"}}\n");
    let numbers: String = (0..1000).map(number).collect();
    let company = product.company()?.replace("\nnumbers:\n", &format!("\nnumbers:\n{numbers}"));
    Ok(company.replace("Acme Air Conditioners", &format!("Acme {name}")))
}

/// Row 16, of a node that has nobody to carry on: it stays for those who talk, and ends once a start may help.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_alone_with_a_full_disk_lets_people_talk_until_there_is_room() -> Result<()> {
    let options = Options { fragile: Some(Fragile::Room(ROOM)), ..Options::default() };
    let mut product = Product::with_company_at(options).await?;
    let (api, anna) = (product.api()?, ANNA.phone(&product).await?);
    ANNA.available(&product).await?;
    let sound = Sound::start(440.0)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;

    product.apply(&large_company(&product, 0)?)?;
    product.disk()?.fill()?;
    let mut changes = 1..;
    let refused = async || product.apply(&large_company(&product, changes.next()?).ok()?).err();
    wait::within(Duration::from_secs(60), "a change to be refused", refused).await?;
    ANNA.rests(&product).await.expect_err("nothing is changed any more");
    let failed = async || {
        let status = api.node("/status").await.ok()?;
        status["failure"].as_str()?.contains("space").then_some(())
    };
    wait::until("the failure to be told", failed).await.with_context(|| product.log())?;
    sound.forget();
    sound.hears(ANNA.hertz).await.with_context(|| product.log())?;
    anna.hears(440.0).await?;

    product.disk()?.free()?;
    let ended = product.ends(ENDS).await?;
    assert!(!ended.success() && product.log().contains("takes data again"), "{ended}: {}", product.log());
    sound.forget();
    product.revive().await?;
    sound.hears(ANNA.hertz).await.with_context(|| product.log())?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    let records = api.cdrs(1).await?;
    assert_eq!((records.len(), &records[0]["outcome"]), (1, &"answered".into()), "{records:?}");
    Ok(())
}

/// How often the company's group has changed its leader is its term.
async fn term(cluster: &Cluster, group: u64) -> Option<u64> {
    let terms = cluster.statuses().await;
    let of = |status: &Value| {
        status["groups"].as_array()?.iter().find(|one| one["group"] == group)?["term"].as_u64()
    };
    terms.iter().filter_map(of).max()
}

/// Row 19: the leader's disk takes half a second for each sync, from now on and to the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_with_a_slow_disk_keeps_nobody_waiting() -> Result<()> {
    let fragile = |name: &str| is_voter(name).then_some(Fragile::Sync);
    let office = Office::open_on(Cluster::start_with(APART, fragile).await?, "edge-1").await?;
    let leader = office.leading().await?;
    let before = term(&office.cluster, office.group).await.context("no term")?;
    office.cluster.node(&leader)?.faults()?.set(Sync::TakesMs(500))?;
    office.releases();
    let (group, cluster) = (office.group, office.cluster.nodes().len());
    let terms = async |office: &Office| term(&office.cluster, group).await.context("no term");
    // Callers who waited are served now, one after the other, as agents get free.
    let served =
        async || office.floor().await.filter(|floor| floor.line.is_empty() && !floor.talks.is_empty());
    wait::within(Duration::from_secs(60), "those in line to be served", served).await?;
    let after = terms(&office).await?;
    println!("{cluster} nodes, the leader's disk slow: {} new terms", after - before);
    assert!(after - before <= 3, "an election storm: {} terms", after - before);
    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}
