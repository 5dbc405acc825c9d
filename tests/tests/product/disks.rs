//! Disks that fail under calls: syncs with errors, no room. Who has the disk stops acknowledging at once, another leads, and
//! nobody on the phone notices.

use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_loadtest::company;
use mangrove_tests::{
    cluster::{APART, Cluster},
    disk::{SmallDisk, Sync},
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
/// Room for a node's log in a test, megabytes.
const ROOM: u32 = 96;

fn is_voter(name: &str) -> bool {
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

    async fn comes_back(&mut self, name: &str) -> Result<()> {
        self.cluster.node_mut(name)?.revive().await?;
        self.cluster.settles(Duration::from_secs(30)).await
    }

    /// Says by another node than this one, again and again, what is so already: of the little that is written while people
    /// talk much finds place in a block that is begun.
    async fn writes(&self, but: &str) -> Result<tokio::task::JoinHandle<()>> {
        let other = ["a", "b", "c"].into_iter().find(|name| *name != but).context("no other node")?;
        let api = self.cluster.node(other)?.api()?.tenant(company::TENANT);
        let live = api.get("/live").await?;
        let agent = live["agents"][0]["id"].as_str().context("no agent")?.to_owned();
        Ok(tokio::spawn(async move {
            loop {
                // While the lead changes it is refused.
                let _ = api.agent(&agent, "available").await;
            }
        }))
    }

    async fn leading(&self) -> Result<String> {
        self.cluster.leader(self.group).await.context("nobody leads the company's group")
    }
}

/// Row 17: an error once, which a second sync of the same file would hide, and a disk that is broken for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_disk_fails_to_sync_leaves_and_no_call_is_lost() -> Result<()> {
    let fragile = |name: &str| is_voter(name).then_some(Fragile::Sync);
    let mut office = Office::open_on(Cluster::start_with(APART, fragile).await?, "edge-1", 30.0).await?;
    let before = office.floor().await.context("the floor is not to be seen")?;

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
    let after = wait::until("the calls to be seen", async || office.floor().await).await?;
    assert_eq!(after, before, "{}", office.cluster.logs());
    office.cluster.node(&leader)?.faults()?.set(Sync::Works)?;
    office.comes_back(&leader).await?;

    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
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

    product.disk()?.fill()?;
    wait::until("a change to be refused", async || ANNA.rests(&product).await.err()).await?;
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

/// Row 16: no room at the leader, at a follower, and for recordings.
#[tokio::test(flavor = "multi_thread")]
async fn full_disks_cost_no_call_and_heal_when_there_is_room() -> Result<()> {
    let fragile = |name: &str| is_voter(name).then_some(Fragile::Room(ROOM));
    let cluster = Cluster::start_with(APART, fragile).await?;
    let store = SmallDisk::mount(&cluster.common().join("objects"), ROOM)?;
    let mut office = Office::open_on(cluster, "edge-1", 60.0).await?;
    let before = office.floor().await.context("the floor is not to be seen")?;

    store.fill()?;
    office.alarmed(true).await?;
    let leader = office.leading().await?;
    office.cluster.node(&leader)?.disk()?.fill()?;
    let writing = office.writes(&leader).await?;
    office.goes_on_without(&leader).await?;
    writing.abort();
    office.can_not_start(&leader).await?;
    office.cluster.node(&leader)?.disk()?.free()?;
    office.comes_back(&leader).await?;
    store.free()?;
    office.alarmed(false).await?;

    let leader = office.leading().await?;
    let follower = ["a", "b", "c"].into_iter().find(|name| **name != *leader).context("all lead")?;
    office.cluster.node(follower)?.disk()?.fill()?;
    let writing = office.writes(follower).await?;
    let ended = office.cluster.node_mut(follower)?.ends(ENDS).await?;
    writing.abort();
    assert!(!ended.success(), "{}", office.cluster.node(follower)?.log());
    let after = wait::until("the calls to be seen", async || office.floor().await).await?;
    assert_eq!(after, before, "{}", office.cluster.logs());
    office.cluster.node(follower)?.disk()?.free()?;
    office.comes_back(follower).await?;

    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}

impl Office {
    /// Every media node says that recordings wait, in words and as a figure; or none does any more.
    async fn alarmed(&self, expected: bool) -> Result<()> {
        let what = if expected { "the alarm of recordings" } else { "the end of the alarm" };
        let told = wait::until(what, async || {
            for name in ["media-1", "media-2"] {
                let member = self.cluster.member(name).await?;
                let words = member["report"]["trouble"].to_string().contains("recordings can't be written");
                let figure = self.cluster.node(name).ok()?.api().ok()?.text("/metrics").await.ok()?;
                let counts = figure.contains("\nmangrove_alarms 1");
                if (words, counts) != (expected, expected) {
                    return None;
                }
            }
            Some(())
        });
        told.await.with_context(|| self.cluster.logs())
    }
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
    let office = Office::open_on(Cluster::start_with(APART, fragile).await?, "edge-1", 20.0).await?;
    let leader = office.leading().await?;
    let before = term(&office.cluster, office.group).await.context("no term")?;
    office.cluster.node(&leader)?.faults()?.set(Sync::TakesMs(500))?;
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
