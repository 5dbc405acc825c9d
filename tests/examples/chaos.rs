//! `make chaos`: runs what the environment asks for (see `chaos::plan`), keeps each outcome, and renews the table in
//! `docs/reliability.md`. Ends with an error when a row is not clean.

use std::process::Command;

use anyhow::{Context, Result};
use mangrove_tests::{
    chaos::{self, Conditions, Layout, Outcome, Plan, Row},
    product,
};

#[tokio::main]
async fn main() -> Result<()> {
    let plan = Plan::read(|name| std::env::var(name).ok())?;
    tokio::select! {
        done = all(&plan) => done,
        // Dropping a cluster ends its processes.
        stop = tokio::signal::ctrl_c() => stop.context("stopped"),
    }
}

async fn all(plan: &Plan) -> Result<()> {
    let mut unclean = Vec::new();
    for row in &plan.rows {
        for layout in &plan.layouts {
            let outcome = one(plan, *row, *layout).await?;
            if !outcome.is_clean() {
                unclean.push(outcome.name());
            }
        }
    }
    anyhow::ensure!(unclean.is_empty(), "not clean: {}; see {}", unclean.join(", "), plan.folder.display());
    Ok(())
}

async fn one(plan: &Plan, row: Row, layout: Layout) -> Result<Outcome> {
    println!("row {}, {}: {layout}, {} calls", row.number(), row.title(), plan.calls);
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
    Ok(outcome)
}

fn conditions(plan: &Plan) -> Result<Conditions> {
    let binary = product::binary()?;
    let is_release = binary.components().any(|part| part.as_os_str() == "release");
    let layouts: Vec<_> = plan.layouts.iter().map(Layout::to_string).collect();
    let rows: Vec<_> = plan.rows.iter().map(|row| row.number().to_string()).collect();
    let command = format!(
        "make chaos ROWS=\"{}\" LAYOUTS=\"{}\" FAULTS={} CALLS={} RATE={} DOWN={} PAUSE={}",
        rows.join(" "),
        layouts.join(" "),
        plan.faults,
        plan.calls,
        plan.rate,
        plan.down.as_secs_f64(),
        plan.pause.as_secs_f64()
    );
    Ok(Conditions {
        date: said("date", &["-u", "+%Y-%m-%d"])?,
        commit: said("git", &["describe", "--always", "--dirty"])?,
        machine: format!("{} CPUs, Linux {}", said("nproc", &[])?, said("uname", &["-r"])?),
        command,
        binary: if is_release { "release".into() } else { "debug".into() },
        calls: plan.calls,
        rate: plan.rate,
    })
}

fn said(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output().with_context(|| program.to_owned())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
