//! Whole clusters under load, their nodes killed and stopped again and again, and an account of what callers noticed.
//!
//! ```text
//! Plan ─▶ run: Hall (cluster, callers, agents) ◀─ strike ─▶ Fault, one a strike
//!                └─ ledger and call records ─▶ Outcome (JSON) ─▶ page (docs/reliability.md)
//! ```
//!
//! Rows are those of the fault matrix; those of the network, and others if asked, have each node on a machine of its own. Between two faults all is as it was: every node alive, every group led, the line
//! full.

mod demand;
mod hall;
mod line;
mod maintenance;
mod outcome;
pub mod page;
pub mod plan;
mod strike;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

pub use hall::Hall;
use outcome::Place;
pub use outcome::{Conditions, Fault, Outcome, Quiet};
pub use plan::{Layout, Net, Plan, Row};

/// How long after a fault's end all must be as it was, or the run ends.
const SETTLES: Duration = Duration::from_secs(90);

/// One row in one layout: all its faults under one continuous load. What goes wrong is in the outcome; an error is one
/// of the runner or its machine. With machines it moves the calling thread, which must be the only one of its runtime, to the
/// phones' machine for good.
pub async fn run(plan: &Plan, row: Row, layout: Layout, conditions: Conditions) -> Result<Outcome> {
    mixed(plan, row, &vec![row; plan.faults], layout, conditions).await
}

/// As `run`, with faults of several rows under one load; the cluster is made for `row`, and the outcome is its.
pub async fn mixed(
    plan: &Plan,
    row: Row,
    rows: &[Row],
    layout: Layout,
    conditions: Conditions,
) -> Result<Outcome> {
    let mut hall = Hall::open(plan, row, layout).await?;
    let quiet = if row == Row::Far { Some(quiet(plan, &hall).await?) } else { None };
    let (faults, mut trouble) = strikes(plan, rows, &mut hall).await;
    let closed = hall.close().await;
    trouble.extend(closed.trouble.clone());
    let place = Place { row, layout, net: plan.net(row) };
    let outcome = Outcome::of(place, conditions, faults, quiet, &closed, trouble);
    let folder = plan.folder.join(outcome.name());
    closed.keep(&folder)?;
    outcome.keep(&folder)?;
    Ok(outcome)
}

/// The faults, and why there were no more if one was not got over.
async fn strikes(plan: &Plan, rows: &[Row], hall: &mut Hall) -> (Vec<Fault>, Vec<String>) {
    let (mut faults, mut trouble) = (Vec::new(), Vec::new());
    for (number, row) in (1..).zip(rows) {
        let done = one(plan, *row, hall, &mut faults).await;
        if let Some(fault) = faults.last() {
            println!("  {number}/{} {fault}; {}", rows.len(), hall.load());
        }
        if let Err(why) = done {
            println!("  given up: {why:#}");
            trouble.push(format!("given up at fault {number}: {why:#}"));
            break;
        }
    }
    (faults, trouble)
}

/// Nothing is done for a while: no group should elect anybody.
async fn quiet(plan: &Plan, hall: &Hall) -> Result<Quiet> {
    hall.settles(SETTLES).await.context("before the quiet time")?;
    let before = hall.elections(|_| true).await;
    tokio::time::sleep(plan.quiet).await;
    let elections = hall.elections(|_| true).await.saturating_sub(before);
    println!("  {} s of quiet: {elections} elections", plan.quiet.as_secs());
    Ok(Quiet { seconds: plan.quiet.as_secs(), elections })
}

/// One fault from its cause to the moment when nothing is left of it; what is known of it stays when it fails.
async fn one(plan: &Plan, row: Row, hall: &mut Hall, faults: &mut Vec<Fault>) -> Result<()> {
    hall.settles(SETTLES).await.context("before the next fault")?;
    hall.comes_home(SETTLES).await.context("before the next fault")?;
    let before = hall.fills(SETTLES).await.context("before the next fault")?;
    let victims = strike::victims(row, hall).await?;
    let (late, elections) = (hall.late_commands().await, hall.company_elections().await);
    let since = Instant::now();
    let fault = faults.push_mut(Fault::new(&victims));
    strike::begin(plan, row, hall, &victims).await?;
    fault.leader_ms = strike::another_leads(row, hall, &victims).await?;
    strike::lasts(row, plan, hall, &victims, since).await?;
    let during = hall.floor().await;
    fault.elections = hall.company_elections().await.saturating_sub(elections);
    fault.ends();
    let healed = Instant::now();
    strike::end(row, hall, &victims).await?;
    if row.breaks_majority(hall.layout) {
        fault.leader_ms = Some(strike::somebody_leads(hall).await?);
    }
    let back = || format!("after {} came back", victims.join(", "));
    hall.is_well(SETTLES).await.with_context(back)?;
    fault.well_ms = healed.elapsed().as_millis() as u64;
    hall.settles(SETTLES).await.with_context(back)?;
    fault.settled_ms = healed.elapsed().as_millis() as u64;
    fault.late = since_then(&late, &hall.late_commands().await);
    fault.worse = line::worse(&before, [during, hall.floor().await].into_iter().flatten());
    Ok(())
}

/// By how much the nodes' counters rose; one that was started again counts from nothing.
fn since_then(before: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>) -> u64 {
    let rise = |(name, count): (&String, &u64)| {
        let before = before.get(name).copied().unwrap_or_default();
        if *count < before { *count } else { count - before }
    };
    now.iter().map(rise).sum()
}
