//! A mail server of its own: aiosmtpd, which keeps what it takes.

use std::{
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::wait;

/// A mail server that ends with this.
#[derive(Debug)]
pub struct MailServer {
    child: Child,
    folder: TempDir,
}

impl MailServer {
    /// One that listens at this port of loopback, without encryption.
    pub async fn start(port: u16) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = std::fs::File::create(folder.path().join("log.txt"))?;
        // Debian's, to which its package belongs: another may come first in the path.
        let child = Command::new("/usr/bin/python3")
            .args(["-m", "aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Mailbox"])
            .args(["-l", &format!("127.0.0.1:{port}")])
            .arg(folder.path().join("mail"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("aiosmtpd can't be started; `make packages` installs it")?;
        let server = Self { child, folder };
        let reached = async || tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok();
        wait::until("the mail server", reached).await.with_context(|| server.log()).map(drop)?;
        Ok(server)
    }

    /// All that it has taken, whole.
    pub fn letters(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path().join("mail/new")).into_iter().flatten().flatten();
        files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log.txt")).unwrap_or_default()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // A process that ended is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
