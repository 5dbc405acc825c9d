//! `make chaos`: runs what the environment asks for (see `chaos::plan`), keeps each outcome, and renews the table in
//! `docs/reliability.md`. Ends with an error when a row is not clean.

use std::process::Command;

use anyhow::{Context, Result};
use mangrove_tests::{
    chaos::{self, Conditions, Layout, Net, Outcome, Plan, Row},
    product,
};

fn main() -> Result<()> {
    let plan = Plan::read(|name| std::env::var(name).ok())?;
    let mut unclean = Vec::new();
    for row in &plan.rows {
        for layout in &plan.layouts {
            let outcome = apart(&plan, *row, *layout)?;
            if !outcome.is_clean() {
                unclean.push(outcome.name());
            }
        }
    }
    anyhow::ensure!(unclean.is_empty(), "not clean: {}; see {}", unclean.join(", "), plan.folder.display());
    Ok(())
}

/// On a thread of its own, which a row with machines leaves in their network.
fn apart(plan: &Plan, row: Row, layout: Layout) -> Result<Outcome> {
    let run = || {
        let runtime = match plan.net(row) {
            Net::Loopback => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
            Net::Machines | Net::Fixed => {
                tokio::runtime::Builder::new_current_thread().enable_all().build()?
            }
        };
        runtime.block_on(async {
            tokio::select! {
                done = one(plan, row, layout) => done,
                // Dropping a cluster ends its processes.
                stop = tokio::signal::ctrl_c() => Err(stop.map_or_else(Into::into, |()| anyhow::anyhow!("stopped"))),
            }
        })
    };
    let thread = std::thread::scope(|scope| scope.spawn(run).join());
    thread.unwrap_or_else(|_| anyhow::bail!("row {} in layout {layout} panicked", row.number()))
}

async fn one(plan: &Plan, row: Row, layout: Layout) -> Result<Outcome> {
    println!("row {}, {}: {layout}, {}, {} calls", row.number(), row.title(), plan.net(row), plan.calls);
    let outcome = chaos::run(plan, row, layout, conditions(plan)?).await?;
    chaos::page::write(&product::root().join("docs/reliability.md"), &plan.folder)?;
    println!(
        "  {} calls, {} talked; lost {}, in line {}, moved back {}; records missing {}, doubled {}",
        outcome.calls,
        outcome.talked,
        outcome.lost.len(),
        outcome.lost_in_line.len(),
        outcome.worse(),
        outcome.differences.missing.len(),
        outcome.differences.doubled.len()
    );
    outcome.shortfalls().iter().for_each(|what| println!("  not reached: {what}"));
    Ok(outcome)
}

fn conditions(plan: &Plan) -> Result<Conditions> {
    let layouts: Vec<_> = plan.layouts.iter().map(Layout::to_string).collect();
    let rows: Vec<_> = plan.rows.iter().map(|row| row.number().to_string()).collect();
    let seconds = [
        ("DOWN", plan.down),
        ("PAUSE", plan.pause),
        ("CUT", plan.cut),
        ("FLAP", plan.flap),
        ("QUIET", plan.quiet),
    ];
    let seconds = seconds.map(|(name, time)| format!("{name}={}", time.as_secs_f64()));
    let command = format!(
        "make chaos ROWS=\"{}\" LAYOUTS=\"{}\" NET={} FAULTS={} CALLS={} RATE={} {}",
        rows.join(" "),
        layouts.join(" "),
        plan.net,
        plan.faults,
        plan.calls,
        plan.rate,
        seconds.join(" ")
    );
    Ok(Conditions {
        date: said("date", &["-u", "+%Y-%m-%d"])?,
        commit: said("git", &["describe", "--always", "--dirty"])?,
        machine: format!("{} CPUs, Linux {}", said("nproc", &[])?, said("uname", &["-r"])?),
        command,
        binary: std::env::var("PROFILE").unwrap_or_else(|_| "release".into()),
        calls: plan.calls,
        rate: plan.rate,
    })
}

fn said(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output().with_context(|| program.to_owned())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
