//! Row 16 under calls: no room at the leader, at a follower and for recordings, while people talk and wait.

use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_tests::{
    api::Api,
    cluster::{APART, Cluster},
    disk::SmallDisk,
    product::Fragile,
    wait,
};
use serde_json::{Value, json};

use crate::{
    cluster::UNHEARD_MS,
    disks::{ROOM, is_voter},
    office::Office,
};

/// How soon operators are told that recordings wait, and that they do so no more: tries come up to ten seconds apart.
const ALARMED: Duration = Duration::from_secs(30);
/// How long what is written may find place in files that were set up ahead.
const FILLS: Duration = Duration::from_secs(180);
/// Numbers of the company that is written again and again: a megabyte in the log each time.
const NUMBERS: u64 = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn full_disks_cost_no_call_and_heal_when_there_is_room() -> Result<()> {
    let fragile = |name: &str| is_voter(name).then_some(Fragile::Room(ROOM));
    let cluster = Cluster::start_with(APART, fragile).await?;
    let store = SmallDisk::mount(&cluster.common().join("objects"), ROOM)?;
    let mut office = Office::open_on(cluster, "edge-1").await?;
    let before = office.sees().await?;

    store.fill()?;
    office.alarmed(true).await?;
    let leader = office.leading().await?;
    office.fills_up(&leader).await?;
    let (next, took) = office.cluster.leader_but(office.group, &leader).await?;
    println!("{leader}'s disk was full, {next} leads, seen {took:.2?} after its end");
    let after = office.sees().await?;
    assert_eq!(after, before, "{}", office.cluster.logs());
    office.has_room_again(&leader).await?;
    store.free()?;
    office.alarmed(false).await?;

    let leader = office.leading().await?;
    let follower = ["a", "b", "c"].into_iter().find(|name| **name != *leader).context("all lead")?;
    office.fills_up(follower).await?;
    assert_eq!(office.leading().await?, leader, "a follower's disk moved the lead");
    office.has_room_again(follower).await?;

    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}

impl Office {
    /// The node's disk is full to its last byte and stays so, while others decide much, until its process ends for it.
    async fn fills_up(&mut self, name: &str) -> Result<()> {
        let mut ballast = Ballast::at(self.cluster.node(self.but(name)?)?.api()?);
        let node = self.cluster.node_mut(name)?;
        let ended = wait::within(FILLS, "a node with a full disk to end", async || {
            // What the node gives back meanwhile is taken, too.
            node.disk().ok()?.fill().ok()?;
            ballast.write().await;
            node.has_ended()
        });
        let ended = ended.await.with_context(|| self.cluster.logs())?;
        let log = self.cluster.node(name)?.log();
        assert!(!ended.success() && log.contains("the disk failed"), "{ended}: {log}");
        Ok(())
    }

    fn but(&self, name: &str) -> Result<&str> {
        let mut others = self.cluster.nodes().iter().filter(|node| node.has("console"));
        Ok(others.find(|node| node.name() != name).context("no other node has a console")?.name())
    }

    async fn has_room_again(&mut self, name: &str) -> Result<()> {
        self.cluster.node(name)?.disk()?.free()?;
        self.comes_back(name).await
    }

    /// Every media node says that recordings wait, in words and as a figure; or none does any more.
    async fn alarmed(&self, expected: bool) -> Result<()> {
        let what = if expected { "the alarm of recordings" } else { "the end of the alarm" };
        let told = wait::within(ALARMED, what, async || {
            for name in ["media-1", "media-2"] {
                if self.alarms(name).await? != [expected; 2] {
                    return None;
                }
            }
            Some(())
        });
        told.await.with_context(|| self.cluster.logs())
    }

    /// Whether the node says so in words, and as a figure.
    async fn alarms(&self, name: &str) -> Option<[bool; 2]> {
        let member = self.cluster.member(name).await?;
        let words = member["report"]["trouble"].to_string().contains("recordings can't be written");
        let figures = self.cluster.node(name).ok()?.api().ok()?.text("/metrics").await.ok()?;
        Some([words, figures.contains("\nmangrove_alarms 1")])
    }
}

/// A company that is large and changes: of the little that is written while people talk, much would find place in
/// what the log has set up ahead.
struct Ballast {
    api: Api,
    count: u64,
}

impl Ballast {
    fn at(api: Api) -> Self {
        Self { api: api.tenant("ballast"), count: 0 }
    }

    /// Writes it once more. While the lead changes it is refused: that is no matter here.
    async fn write(&mut self) {
        self.count += 1;
        let _ = self.api.post("/configuration", &self.document()).await;
    }

    fn document(&self) -> Value {
        let first = 70_000_000_000 + self.count;
        let numbers: Vec<_> = (first..first + NUMBERS).map(|number| number.to_string()).collect();
        let to = json!([{ "uri": "sip:127.0.0.1:9", "priority": 1 }]);
        json!({
            "format": 1, "tenant": "ballast", "name": "Ballast", "domain": "ballast.example",
            "trunks": [{ "name": "carrier", "to": to, "caller_ids": numbers }],
        })
    }
}
