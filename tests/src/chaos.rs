//! Whole clusters under load, their nodes killed and stopped again and again, and an account of what callers noticed.
//!
//! ```text
//! Plan ─▶ run: Hall (cluster, callers, agents) ◀─ strike ─▶ Fault, one a strike
//!                └─ ledger and call records ─▶ Outcome (JSON) ─▶ page (docs/reliability.md)
//! ```
//!
//! Rows are those of the fault matrix. Between two faults all is as it was: every node alive, every group led, the line
//! full.

mod hall;
mod line;
mod outcome;
pub mod page;
pub mod plan;
mod strike;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

pub use hall::Hall;
pub use outcome::{Conditions, Fault, Outcome};
pub use plan::{Layout, Plan, Row};

/// How long after a fault's end all must be as it was, or the run ends.
const SETTLES: Duration = Duration::from_secs(90);

/// One row in one layout: all its faults under one continuous load. What goes wrong is in the outcome; an error is one
/// of the runner or its machine.
pub async fn run(plan: &Plan, row: Row, layout: Layout, conditions: Conditions) -> Result<Outcome> {
    let mut hall = Hall::open(plan, layout).await?;
    let (mut faults, mut trouble) = (Vec::new(), Vec::new());
    while faults.len() < plan.faults {
        let done = one(plan, row, &mut hall, &mut faults).await;
        if let Some(fault) = faults.last() {
            println!("  {}/{} {fault}; {}", faults.len(), plan.faults, hall.load());
        }
        if let Err(why) = done {
            println!("  given up: {why:#}");
            trouble.push(format!("given up after fault {}: {why:#}", faults.len()));
            break;
        }
    }
    let closed = hall.close().await;
    trouble.extend(closed.trouble.clone());
    let outcome = Outcome::of(row, layout, conditions, faults, &closed, trouble);
    let folder = plan.folder.join(outcome.name());
    closed.keep(&folder)?;
    outcome.keep(&folder)?;
    Ok(outcome)
}

/// One fault from its cause to the moment when nothing is left of it; what is known of it stays when it fails.
async fn one(plan: &Plan, row: Row, hall: &mut Hall, faults: &mut Vec<Fault>) -> Result<()> {
    hall.settles(SETTLES).await.context("before the next fault")?;
    hall.fills(SETTLES).await.context("before the next fault")?;
    let before = hall.floor().await.context("the floor is not to be seen before the next fault")?;
    let victims = strike::victims(row, hall).await?;
    let since = Instant::now();
    let fault = faults.push_mut(Fault::new(&victims));
    strike::begin(row, hall, &victims)?;
    fault.leader_ms = strike::another_leads(row, hall, &victims).await?;
    tokio::time::sleep(plan.lasts(row).saturating_sub(since.elapsed())).await;
    let during = hall.floor().await;
    fault.ends();
    let healed = Instant::now();
    strike::end(row, hall, &victims).await?;
    if row.breaks_majority() {
        fault.leader_ms = Some(strike::somebody_leads(hall).await?);
    }
    hall.settles(SETTLES).await.with_context(|| format!("after {} came back", victims.join(", ")))?;
    fault.settled_ms = healed.elapsed().as_millis() as u64;
    fault.worse = line::worse(&before, [during, hall.floor().await].into_iter().flatten());
    Ok(())
}
