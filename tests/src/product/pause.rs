//! A process that is stopped and goes on, as a machine does that hangs for a while.

use anyhow::{Context, Result};

use super::Product;

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

    fn signal(&self, signal: libc::c_int) -> Result<()> {
        let child = self.child.as_ref().with_context(|| format!("node {} does not run", self.name()))?;
        // SAFETY: no memory is passed; the process is a child that was not waited for, so its id is its own.
        let outcome = unsafe { libc::kill(child.id() as libc::pid_t, signal) };
        anyhow::ensure!(outcome == 0, "node {}: {}", self.name(), std::io::Error::last_os_error());
        Ok(())
    }
}
