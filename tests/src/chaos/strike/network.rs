//! Faults of the network: links that carry nothing, or everything late, between machines that all live.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Hall, Row, with};
use crate::machines::Machines;

/// From any machine to any other, one way, in row 15.
pub(in crate::chaos) const FAR: Duration = Duration::from_millis(150);
/// How much later comes what a deposed leader sends. The matrix says 10 s; a node ends a connection whose other end leaves its
/// pings unanswered for 4 s, so that later than that nothing would come to a fence.
const LATE: Duration = Duration::from_secs(3);
/// So long a leader whose words are late for some still decides with the others: less than makes anybody take one for dead.
const DECIDES: Duration = Duration::from_millis(600);
/// A cable that comes and goes is out and in for this long.
const FLAP: Duration = Duration::from_secs(1);

/// What the fault is, but for a link that comes and goes.
pub(super) async fn begin(row: Row, hall: &mut Hall, victims: &[String]) -> Result<()> {
    match row {
        Row::LeaderCut | Row::FollowerCut => {
            victims.iter().try_for_each(|name| hall.machines()?.plug(name, false))?;
        }
        Row::EdgesCut => {
            part_edges(hall)?;
            hall.lets_in(true);
        }
        Row::LeaderUnheard => {
            for (name, other) in pairs(victims, &others(hall, victims)) {
                hall.machines()?.deafen(&other, &name)?;
            }
        }
        Row::Bridge => {
            let [one, other] = victims else { anyhow::bail!("two nodes have a link, not {victims:?}") };
            hall.machines()?.part(one, other)?;
        }
        Row::Late => speaks_late(hall, victims).await?,
        _ => {}
    }
    if row.takes_the_leader() || matches!(row, Row::FollowerCut | Row::Flapping) {
        reach(hall, victims, false)?;
    }
    Ok(())
}

/// Takes the cables out and in for so long, and leaves them in.
pub(super) async fn flap(hall: &mut Hall, victims: &[String], lasts: Duration) -> Result<()> {
    let since = Instant::now();
    let mut is_in = true;
    while since.elapsed() < lasts || !is_in {
        is_in = !is_in;
        victims.iter().try_for_each(|name| hall.machines()?.plug(name, is_in))?;
        tokio::time::sleep(FLAP).await;
    }
    Ok(())
}

/// Everybody hears everybody again.
pub(super) fn end(hall: &mut Hall, victims: &[String]) -> Result<()> {
    hall.lets_in(false);
    let machines = hall.machines()?;
    machines.heal()?;
    victims.iter().try_for_each(|name| machines.plug(name, true))?;
    reach(hall, victims, true)
}

/// From now on, and for what is started later, all machines are this far from one another.
pub(in crate::chaos) fn spread(machines: &mut Machines, names: &[String]) -> Result<()> {
    pairs(names, names).try_for_each(|(from, to)| machines.delay(&from, &to, FAR))
}

fn part_edges(hall: &mut Hall) -> Result<()> {
    let (edges, control) = (with(hall, "edge"), with(hall, "control"));
    for (edge, other) in pairs(&edges, &control) {
        hall.machines()?.part(&edge, &other)?;
    }
    Ok(())
}

/// A leader's words come late to all but one follower, then to that one too: what it has decided meanwhile is on its way
/// when the others elect another.
async fn speaks_late(hall: &mut Hall, victims: &[String]) -> Result<()> {
    let loyal = with(hall, "control").into_iter().find(|name| !victims.contains(name));
    let loyal = loyal.context("nobody follows")?;
    for (name, other) in pairs(victims, &others(hall, victims)).filter(|(_, other)| *other != loyal) {
        hall.machines()?.delay(&name, &other, LATE)?;
    }
    tokio::time::sleep(DECIDES).await;
    victims.iter().try_for_each(|name| hall.machines()?.delay(name, &loyal, LATE))
}

fn others(hall: &Hall, victims: &[String]) -> Vec<String> {
    let names = hall.cluster.nodes().iter().map(|node| node.name().to_owned());
    names.filter(|name| !victims.contains(name)).collect()
}

/// Each with each, nobody with itself.
fn pairs<'n>(some: &'n [String], others: &'n [String]) -> impl Iterator<Item = (String, String)> + use<'n> {
    let all = some.iter().flat_map(|one| others.iter().map(move |other| (one.clone(), other.clone())));
    all.filter(|(one, other)| one != other)
}

/// Notes whom the runner asks nothing.
fn reach(hall: &mut Hall, names: &[String], is_reachable: bool) -> Result<()> {
    for name in names {
        hall.cluster.node_mut(name)?.set_reachable(is_reachable);
    }
    Ok(())
}
