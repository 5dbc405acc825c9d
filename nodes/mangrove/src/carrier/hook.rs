//! Brings an address to this machine, or takes it off, by the operator's own program: `ip addr` with gratuitous ARP, a BGP
//! speaker, a cloud's API. Loopback addresses need none.

use std::{fmt, net::IpAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::Estate;
use crate::configuration::Configuration;

/// The program may take this long.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is to happen to an address.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Acquire,
    Release,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Acquire => "acquire",
            Self::Release => "release",
        })
    }
}

/// Runs the hook for each of the addresses; nothing to do without one.
pub(super) async fn run(configuration: &Configuration, change: Change) -> Result<()> {
    let Some(program) = &configuration.cluster.address_hook else { return Ok(()) };
    for ip in Estate::of(configuration).ips().filter(|ip| !ip.is_loopback() && !ip.is_unspecified()) {
        let outcome = tokio::time::timeout(PATIENCE, call(program, change, ip)).await;
        outcome
            .with_context(|| format!("{} {change} {ip} did not end in {PATIENCE:?}", program.display()))??;
    }
    Ok(())
}

async fn call(program: &std::path::Path, change: Change, ip: IpAddr) -> Result<()> {
    let shown = program.display();
    let output = Command::new(program)
        .args([change.to_string(), ip.to_string()])
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cluster.address_hook {shown} can't be run"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{shown} {change} {ip} failed ({}): {}", output.status, said.trim());
    Ok(())
}
