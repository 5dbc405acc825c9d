//! What operators do to a cluster on purpose, under load: each step when the one before is over.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Hall;
use crate::{cluster::Seat, wait};

/// How long a node may take to end: longer than `limits.stop_seconds` gives it.
const ENDS: Duration = Duration::from_secs(20);
/// How long all may take to be as it was.
const READY: Duration = Duration::from_secs(60);
/// Roles of nodes that vote.
const CONTROL: &[&str] = &["control", "console"];

/// The next node when the one before is back, with its addresses, and all is as it was.
pub(super) async fn roll(hall: &mut Hall, nodes: &[String]) -> Result<()> {
    for name in nodes {
        restart(hall, name).await?;
    }
    Ok(())
}

/// All but one to another binary and back, which must work while that one speaks the older protocol; then all of them.
pub(super) async fn upgrade(hall: &mut Hall, nodes: &[String], newer: Option<&Path>) -> Result<()> {
    let newer = newer.context("row 30 needs NEWER, the path of the binary to upgrade to")?;
    let newer = std::path::absolute(newer)?;
    let but_one = &nodes[..nodes.len().saturating_sub(1)];
    for (nodes, binary) in [(but_one, Some(&newer)), (but_one, None), (nodes, Some(&newer))] {
        for name in nodes {
            hall.cluster.node_mut(name)?.set_binary(binary.cloned());
            restart(hall, name).await?;
        }
    }
    Ok(())
}

async fn restart(hall: &mut Hall, name: &str) -> Result<()> {
    let node = hall.cluster.node_mut(name)?;
    let took = node.terminate(ENDS).await?;
    node.revive().await?;
    if node.has("edge") || node.has("media") {
        let own = async || hall.cluster.carrier(name).await.filter(|carrier| carrier == name);
        wait::within(READY, "its addresses to be back", own).await.with_context(|| name.to_owned())?;
    }
    hall.settles(READY).await.with_context(|| format!("after {name} was started again"))?;
    println!("  {name} ended after {took:.2?} and was started again; {}", hall.load());
    Ok(())
}

/// Newcomers take the places of the leader of the company's group, of the directory's, and of one that dies. The new ones
/// begin with empty folders.
pub(super) async fn change_voters(hall: &mut Hall) -> Result<()> {
    for (group, newcomer) in [(hall.group, ("d", CONTROL)), (0, ("e", CONTROL))] {
        hall.cluster.join(newcomer).await?;
        let leads = wait::within(READY, "a leader by the members' word", async || leader(hall, group).await);
        let leader = leads.await.with_context(|| format!("group {group}"))?;
        leaves(hall, &leader).await?;
        println!("  {leader}, which led group {group}, has left, {} has joined; {}", newcomer.0, hall.load());
    }
    dies_for_good(hall, ("f", CONTROL)).await
}

/// By the members' word: the directory's group, too.
async fn leader(hall: &Hall, group: u64) -> Option<String> {
    let leads = |member: &Value| {
        let mut groups = member["report"]["groups"].as_array()?.iter();
        groups.find(|one| one["group"] == group && one["leads"] == true)?;
        member["name"].as_str().map(str::to_owned)
    };
    hall.cluster.members().await?.iter().find_map(leads)
}

async fn leaves(hall: &mut Hall, name: &str) -> Result<()> {
    ask(hall, &["drain", name])?;
    ask(hall, &["leave", name])?;
    hall.cluster.node_mut(name)?.terminate(ENDS).await?;
    hall.cluster.forget(name);
    hall.settles(READY).await.with_context(|| format!("after {name} has left"))
}

async fn dies_for_good(hall: &mut Hall, newcomer: Seat) -> Result<()> {
    let leader = hall.cluster.led_by(hall.group).await?;
    hall.cluster.node_mut(&leader)?.kill()?;
    let gone = async || hall.cluster.member(&leader).await.filter(|one| one["alive"] == false);
    wait::within(READY, "the death to be known", gone).await?;
    ask(hall, &["replace", &leader])?;
    hall.cluster.forget(&leader);
    hall.cluster.join(newcomer).await?;
    hall.settles(READY).await.with_context(|| format!("after {leader} was replaced"))?;
    println!("  {leader} died and was replaced by {}; {}", newcomer.0, hall.load());
    Ok(())
}

/// An operator's command at a console of a node that stays.
fn ask(hall: &Hall, arguments: &[&str]) -> Result<()> {
    let concerned = arguments.last().copied().unwrap_or_default();
    let mut others = hall.cluster.nodes().iter().filter(|node| node.is_alive() && node.has("console"));
    let console = others.find(|node| node.name() != concerned).context("no other console is alive")?;
    // Its own process is waited for: callers and agents go on.
    tokio::task::block_in_place(|| console.ask(arguments)).map(drop)
}
