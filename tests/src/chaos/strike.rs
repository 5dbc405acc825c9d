//! Does a row's fault to the nodes that it is meant for, and ends it.

pub(super) mod network;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Hall, Plan, Row, maintenance};
use crate::wait;

/// How long another leader may take before the run ends.
const LEADS: Duration = Duration::from_secs(30);
/// How long a node may take to be ready again.
const READY: Duration = Duration::from_secs(60);

/// Whom the fault is for, now.
pub(super) async fn victims(row: Row, hall: &Hall) -> Result<Vec<String>> {
    let leader = hall.cluster.led_by(hall.group).await?;
    let mut followers = with(hall, "control").into_iter().filter(|name| *name != leader);
    Ok(match row {
        Row::Edge => vec![hall.layout.edge().to_owned()],
        Row::Media => vec![loudest(hall).await.context("no media node tells of its streams")?],
        Row::Follower | Row::FollowerCut => followers.next().into_iter().collect(),
        Row::Leader | Row::Pause | Row::LeaderCut | Row::LeaderUnheard => vec![leader],
        Row::Flapping | Row::Far | Row::Late => vec![leader],
        Row::EdgesCut => with(hall, "edge"),
        Row::Voters => with(hall, "control"),
        Row::Majority | Row::Bridge => {
            [Some(leader.clone()), followers.next()].into_iter().flatten().collect()
        }
        Row::All | Row::Rolling | Row::Upgrade => {
            hall.cluster.nodes().iter().map(|node| node.name().to_owned()).collect()
        }
    })
}

/// The nodes with this role.
fn with(hall: &Hall, role: &str) -> Vec<String> {
    hall.cluster.nodes().iter().filter(|node| node.has(role)).map(|node| node.name().to_owned()).collect()
}

/// The media node with most streams.
async fn loudest(hall: &Hall) -> Option<String> {
    let streams = |member: &Value| member["report"]["figures"]["streams"].as_u64();
    let members = hall.cluster.members().await?;
    let loudest = members.iter().max_by_key(|member| streams(member))?;
    loudest["name"].as_str().map(str::to_owned)
}

/// All of them at once, or one after the other.
pub(super) async fn begin(plan: &Plan, row: Row, hall: &mut Hall, victims: &[String]) -> Result<()> {
    match row {
        Row::Rolling => return maintenance::roll(hall, victims).await,
        Row::Upgrade => return maintenance::upgrade(hall, victims, plan.newer.as_deref()).await,
        Row::Voters => return maintenance::change_voters(hall).await,
        _ if row.is_of_the_network() => return network::begin(row, hall, victims).await,
        _ => {}
    }
    for name in victims {
        let node = hall.cluster.node_mut(name)?;
        if row == Row::Pause { node.pause()? } else { node.kill()? }
    }
    Ok(())
}

/// Until the fault has lasted as long as it should.
pub(super) async fn lasts(
    row: Row,
    plan: &Plan,
    hall: &mut Hall,
    victims: &[String],
    since: Instant,
) -> Result<()> {
    let rest = plan.lasts(row).saturating_sub(since.elapsed());
    if row == Row::Flapping {
        return network::flap(hall, victims, rest).await;
    }
    tokio::time::sleep(rest).await;
    Ok(())
}

/// How long after a leader's fault another one leads; none where no leader was hit.
pub(super) async fn another_leads(row: Row, hall: &Hall, victims: &[String]) -> Result<Option<u64>> {
    if !row.takes_the_leader() {
        return Ok(None);
    }
    let since = Instant::now();
    let another = wait::within(LEADS, "another leader", async || {
        hall.cluster.leader(hall.group).await.filter(|leader| !victims.contains(leader))
    });
    another.await?;
    Ok(Some(since.elapsed().as_millis() as u64))
}

/// How long it takes from now until the group has a leader.
pub(super) async fn somebody_leads(hall: &Hall) -> Result<u64> {
    let since = Instant::now();
    wait::within(LEADS, "a leader", async || hall.cluster.leader(hall.group).await).await?;
    Ok(since.elapsed().as_millis() as u64)
}

/// Starts, wakes or connects them all, then waits until each is ready.
pub(super) async fn end(row: Row, hall: &mut Hall, victims: &[String]) -> Result<()> {
    if row.is_of_the_network() {
        return network::end(hall, victims);
    }
    if row.is_maintenance() {
        return Ok(());
    }
    for name in victims {
        let node = hall.cluster.node_mut(name)?;
        if row == Row::Pause { node.resume()? } else { node.launch()? }
    }
    if matches!(row, Row::Majority | Row::All) {
        // Nobody is ready before somebody leads, which is measured.
        return Ok(());
    }
    for name in victims {
        let node = hall.cluster.node_mut(name)?;
        if let Err(why) = node.ready(READY).await {
            // Its process may have ended: it is asked for nothing more.
            node.kill()?;
            let log = node.log();
            let last = log.lines().last().unwrap_or_default();
            anyhow::bail!("{name} does not come back: {}; it printed last: {last}", why.root_cause());
        }
    }
    Ok(())
}
