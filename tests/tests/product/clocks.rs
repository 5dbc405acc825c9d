//! Wall clocks that are wrong under calls: they are labels only, so nobody notices but the operator.

use anyhow::{Context, Result};
use mangrove_tests::{
    cluster::{APART, Cluster},
    product::Fragile,
    wait,
};

use crate::{cluster::UNHEARD_MS, office::Office};

const HOUR: i64 = 3_600;
const TEN_YEARS: i64 = 10 * 365 * 24 * HOUR;

impl Office {
    /// The node says in words and as a figure how far its clock is off, where operators look; or no more.
    async fn tells_of_its_clock(&self, name: &str, words: Option<&str>) -> Result<()> {
        let told = wait::until("the node to tell of its clock", async || {
            let trouble = self.cluster.member(name).await?["report"]["trouble"].to_string();
            let metrics = self.cluster.node(name).ok()?.api().ok()?.text("/metrics").await.ok()?;
            let (says, counts) =
                (trouble.contains("this node's clock is"), metrics.contains("\nmangrove_alarms 1"));
            let right = words.is_none_or(|words| trouble.contains(words));
            (right && (says, counts) == (words.is_some(), words.is_some())).then_some(())
        });
        told.await.with_context(|| self.cluster.logs())
    }
}

/// Row 20: the leader's, an edge's and a media node's clock, an hour ahead, an hour behind, ten years ahead.
#[tokio::test(flavor = "multi_thread")]
async fn clocks_may_be_set_to_anything_under_calls() -> Result<()> {
    let cluster = Cluster::start_with(APART, |_| Some(Fragile::Clock)).await?;
    let office = Office::open_on(cluster, "edge-1").await?;
    let before = office.sees().await?;
    let leader = office.cluster.led_by(office.group).await?;
    for (name, seconds, words) in [
        (leader.as_str(), HOUR, "s ahead of the other nodes"),
        ("edge-1", -HOUR, "s behind the other nodes"),
        ("media-1", TEN_YEARS, "s ahead of the other nodes"),
        (leader.as_str(), TEN_YEARS, "s ahead of the other nodes"),
    ] {
        office.cluster.node(name)?.clock()?.set(seconds)?;
        office.tells_of_its_clock(name, Some(words)).await?;
        let now = office.sees().await?;
        assert_eq!(now, before, "{name}'s clock set by {seconds} s\n{}", office.cluster.logs());
        assert_eq!(office.cluster.leader(office.group).await.as_deref(), Some(leader.as_str()));
    }
    for name in ["edge-1", "media-1"] {
        office.cluster.node(name)?.clock()?.set(0)?;
    }
    let status = office.cluster.node(&leader)?.ask(&["status"])?;
    assert!(status["alarms"].to_string().contains("this node's clock is"), "{status}");
    for name in ["edge-1", "media-1"] {
        office.tells_of_its_clock(name, None).await?;
    }
    // The leader's stays wrong to the end: all records are made under it.
    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}
