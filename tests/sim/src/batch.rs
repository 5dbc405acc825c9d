//! Many seeds, each in a process of its own: nothing of one run is left in the next, and a run that crashes or hangs is
//! one seed's failure.

#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::plant::Plant;
use crate::run::{Report, Setup, run};

/// A run that computes for so long goes in circles, seconds. Of the processor: a busy machine may take any time.
const CIRCLES: u64 = 120;

/// Which seeds, and how.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    pub from: u64,
    pub seeds: u64,
    pub plant: Option<Plant>,
    pub trace: bool,
    /// Processes at once.
    pub jobs: usize,
}

/// Runs all seeds and hands each report over as it comes, in any order; ends early when `go_on` says no.
///
/// To be called before this process has started any thread.
pub fn run_all(batch: Batch, mut go_on: impl FnMut(Report) -> bool) -> Result<()> {
    let folder = tempfile::tempdir().context("no folder for the reports")?;
    let mut running = BTreeMap::new();
    let mut seeds = batch.from..batch.from + batch.seeds;
    let mut wanted = true;
    loop {
        while wanted && running.len() < batch.jobs {
            let Some(seed) = seeds.next() else { break };
            running.insert(start(batch, seed, folder.path())?, seed);
        }
        if running.is_empty() {
            return Ok(());
        }
        let mut status = 0;
        // SAFETY: waits for a child of ours; `status` outlives the call.
        let child = unsafe { libc::wait(&raw mut status) };
        let Some(seed) = running.remove(&child) else { bail!("a process that is none of ours has ended") };
        wanted &= go_on(read(folder.path(), seed, status));
    }
}

fn start(batch: Batch, seed: u64, folder: &Path) -> Result<libc::pid_t> {
    // SAFETY: this process has one thread, so the child has all of it.
    match unsafe { libc::fork() } {
        -1 => bail!("can't fork: {}", std::io::Error::last_os_error()),
        0 => child(Setup { seed, plant: batch.plant, trace: batch.trace }, folder),
        child => Ok(child),
    }
}

fn child(setup: Setup, folder: &Path) -> ! {
    let limit = libc::rlimit { rlim_cur: CIRCLES, rlim_max: CIRCLES };
    // SAFETY: `limit` outlives the call.
    unsafe { libc::setrlimit(libc::RLIMIT_CPU, &raw const limit) };
    let report = run(setup);
    let written = serde_json::to_vec(&report)
        .map_err(anyhow::Error::from)
        .and_then(|bytes| Ok(fs::write(folder.join(setup.seed.to_string()), bytes)?));
    // SAFETY: the parent's clean-up is not ours to do.
    unsafe { libc::_exit(i32::from(written.is_err())) }
}

fn read(folder: &Path, seed: u64, status: i32) -> Report {
    let path = folder.join(seed.to_string());
    let report = fs::read(&path).map_err(anyhow::Error::from);
    let report = report.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
    // Trace lines add up.
    let _ = fs::remove_file(path);
    report.unwrap_or_else(|error| {
        Report::failed(seed, format!("the run crashed or went in circles (status {status}): {error}"))
    })
}
