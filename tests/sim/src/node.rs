//! One node: a runtime of its own that can be killed, paused and started again, with the product's cluster and control
//! roles in it.

mod roles;
mod watched;
mod ways;

use std::path::PathBuf;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant};

use crate::disk::SimDisk;
use crate::post::Errand;
use crate::{NodeIndex, time};

pub(crate) use roles::Surroundings;
pub(crate) use watched::Agreement;

/// A machine: its disk, its clock, and the process on it if one runs.
pub(crate) struct Node {
    pub(crate) index: NodeIndex,
    pub(crate) disk: SimDisk,
    folder: PathBuf,
    /// tokio's instant of the simulation's beginning.
    start: Instant,
    /// How far the wall clock is off, milliseconds.
    pub(crate) wall: i64,
    process: Option<Process>,
    paused: bool,
}

struct Process {
    runtime: Runtime,
    errands: mpsc::UnboundedSender<Errand>,
    /// How far its clock has come.
    at: u64,
}

impl Node {
    pub(crate) fn new(index: NodeIndex, disk: SimDisk, folder: PathBuf, start: Instant) -> Self {
        Self { index, disk, folder, start, wall: 0, process: None, paused: false }
    }

    /// Starts the process, unless it runs.
    pub(crate) fn boot(&mut self, surroundings: &Surroundings) -> anyhow::Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        surroundings.net.light(self.index);
        std::fs::create_dir_all(&self.folder)?;
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build()?;
        let (errands, waiting) = mpsc::unbounded_channel();
        let seat = roles::Seat { index: self.index, disk: self.disk.clone(), folder: self.folder.clone() };
        runtime.spawn(roles::run(seat, surroundings.clone(), waiting));
        self.process = Some(Process { runtime, errands, at: time::now() });
        Ok(())
    }

    /// Ends the process where it stands; what was not synced is lost. Others see its connections end, or, without power,
    /// nothing.
    pub(crate) fn kill(&mut self, surroundings: &Surroundings, dark: bool) {
        surroundings.net.close(self.index, dark);
        if let Some(process) = self.process.take() {
            drop(process);
            self.disk.cut();
        }
        self.paused = false;
    }

    /// As SIGSTOP does, and SIGCONT.
    pub(crate) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Hands an errand over; false if no process takes it.
    pub(crate) fn send(&self, errand: Errand) -> bool {
        self.process.as_ref().is_some_and(|process| process.errands.send(errand).is_ok())
    }

    /// Lets the process run until `end`.
    pub(crate) fn run_until(&mut self, end: u64) {
        let Some(process) = self.process.as_mut().filter(|_| !self.paused) else { return };
        let begin = time::now();
        time::inside(self.start, self.wall);
        let behind = begin.saturating_sub(process.at);
        let deadline = self.start + Duration::from_millis(end);
        process.runtime.block_on(async {
            if behind > 0 {
                // It was paused: all that was due meanwhile is late.
                tokio::time::advance(Duration::from_millis(behind)).await;
            }
            tokio::time::sleep_until(deadline).await;
        });
        process.at = end;
        time::outside(begin);
    }
}
