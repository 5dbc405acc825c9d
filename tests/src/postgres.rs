//! A PostgreSQL of its own, which can be away, hang, or refuse to write.

use std::{
    net::Ipv4Addr,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{ports, product::root, wait};

/// How long it may take to begin, its first data included.
const BEGINS: Duration = Duration::from_secs(30);

/// A PostgreSQL that ends with this.
#[derive(Debug)]
pub struct Postgres {
    child: Option<Child>,
    address: Ipv4Addr,
    port: u16,
    folder: TempDir,
}

impl Postgres {
    /// An empty one at this address.
    pub async fn start(address: Ipv4Addr) -> Result<Self> {
        let mut postgres = Self { child: None, address, port: ports::free(), folder: tempfile::tempdir()? };
        postgres.revive().await?;
        Ok(postgres)
    }

    /// Starts it again with what it holds.
    pub async fn revive(&mut self) -> Result<()> {
        let path = self.folder.path().join("log.txt");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
        let child = Command::new(root().join("scripts/postgres"))
            .arg(self.folder.path())
            .args([self.address.to_string(), self.port.to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .context("scripts/postgres can't be started")?;
        self.child = Some(child);
        let reached = async || tokio::net::TcpStream::connect((self.address, self.port)).await.ok();
        let log = || std::fs::read_to_string(&path).unwrap_or_default();
        wait::within(BEGINS, "the database", reached).await.with_context(log).map(drop)
    }

    /// Ends it in order, whoever is connected.
    pub fn stop(&mut self) -> Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        signal(child.id(), libc::SIGINT)?;
        child.wait()?;
        Ok(())
    }

    /// Lets it hang, with all connections, or go on.
    pub fn hang(&self, hangs: bool) -> Result<()> {
        let main = self.id()?;
        let signals = if hangs { libc::SIGSTOP } else { libc::SIGCONT };
        for id in children(main)?.into_iter().chain([main]) {
            signal(id, signals)?;
        }
        Ok(())
    }

    /// Whether it refuses to write from now on.
    pub fn read_only(&self, refuses: bool) -> Result<()> {
        let setting = format!("default_transaction_read_only = {}\n", if refuses { "on" } else { "off" });
        std::fs::write(self.folder.path().join("data/postgresql.auto.conf"), setting)?;
        signal(self.id()?, libc::SIGHUP)
    }

    /// For `database.url`.
    pub fn url(&self) -> String {
        format!("postgres://mangrove@{}:{}/postgres", self.address, self.port)
    }

    fn id(&self) -> Result<u32> {
        Ok(self.child.as_ref().context("it does not run")?.id())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // One that ended is what we want; one that hangs would not end.
        let _ = self.hang(false);
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The processes that this one has begun.
fn children(parent: u32) -> Result<Vec<u32>> {
    let list = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
    Ok(list.split_whitespace().filter_map(|id| id.parse().ok()).collect())
}

fn signal(id: u32, signal: libc::c_int) -> Result<()> {
    // SAFETY: no memory is passed; the process is a child, or one of its children.
    let outcome = unsafe { libc::kill(id as libc::pid_t, signal) };
    anyhow::ensure!(outcome == 0, "process {id}: {}", std::io::Error::last_os_error());
    Ok(())
}
