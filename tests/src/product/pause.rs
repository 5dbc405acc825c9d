//! Signals: a process that hangs for a while and goes on, and one that is asked to end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Product;
use crate::wait;

impl Product {
    /// kill -STOP: the process keeps its sockets and does nothing.
    pub fn pause(&mut self) -> Result<()> {
        self.signal(libc::SIGSTOP)?;
        self.paused = true;
        Ok(())
    }

    /// kill -CONT.
    pub fn resume(&mut self) -> Result<()> {
        self.signal(libc::SIGCONT)?;
        self.paused = false;
        Ok(())
    }

    /// SIGTERM, and waits until the process has ended by itself; how long that took. One that does not within the limit
    /// is killed, and that is an error.
    pub async fn terminate(&mut self, limit: Duration) -> Result<Duration> {
        self.signal(libc::SIGTERM)?;
        let mut child = self.child.take().with_context(|| format!("node {} does not run", self.name()))?;
        let since = Instant::now();
        let ended = wait::within(limit, "the node to end by itself", async || child.try_wait().ok()?).await;
        if ended.is_err() {
            child.kill()?;
        }
        let status = child.wait()?;
        ended.with_context(|| self.log())?;
        anyhow::ensure!(status.success(), "node {} ended with {status}:\n{}", self.name(), self.log());
        Ok(since.elapsed())
    }

    fn signal(&self, signal: libc::c_int) -> Result<()> {
        let child = self.child.as_ref().with_context(|| format!("node {} does not run", self.name()))?;
        // SAFETY: no memory is passed; the process is a child that was not waited for, so its id is its own.
        let outcome = unsafe { libc::kill(child.id() as libc::pid_t, signal) };
        anyhow::ensure!(outcome == 0, "node {}: {}", self.name(), std::io::Error::last_os_error());
        Ok(())
    }
}
