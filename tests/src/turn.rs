//! Debian's coturn on loopback: it carries the sound of browsers that reach nothing else.

use std::{
    fs::File,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{ports, wait};

const SECRET: &str = "north-by-northwest";
/// Where a node's sound is not looked for, nor the kernel's ephemeral ports begin.
const RELAYS: (u16, u16) = (19_000, 19_199);

/// A running server.
#[derive(Debug)]
pub struct Turn {
    folder: TempDir,
    child: Child,
    port: u16,
}

impl Turn {
    /// Starts the server, which knows nobody but who has credentials.
    pub async fn start() -> Result<Self> {
        let (folder, port) = (tempfile::tempdir()?, ports::free());
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("secret"), format!("{SECRET}\n"))?;
        std::fs::write(path("turn.conf"), configuration(port, &path("").display().to_string()))?;
        let log = File::create(path("log.txt"))?;
        let child = Command::new("turnserver")
            .arg("-c")
            .arg(path("turn.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("turnserver can't be started: `make packages` installs coturn")?;
        let turn = Self { folder, child, port };
        let says = async || turn.log().contains("Total General servers").then_some(());
        wait::until("coturn to serve", says).await.with_context(|| turn.log())?;
        Ok(turn)
    }

    /// What a node's `mangrove.toml` says of it.
    pub fn table(&self) -> String {
        let (port, secret) = (self.port, self.folder.path().join("secret"));
        format!(
            "[turn]\nservers = [\"turn:127.0.0.1:{port}?transport=udp\"]\nsecret_file = {:?}\n",
            secret.display().to_string()
        )
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log.txt")).unwrap_or_default()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A process that ended is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(port: u16, folder: &str) -> String {
    let (first, last) = RELAYS;
    [
        "listening-ip=127.0.0.1",
        "relay-ip=127.0.0.1",
        &format!("listening-port={port}"),
        &format!("min-port={first}"),
        &format!("max-port={last}"),
        "use-auth-secret",
        &format!("static-auth-secret={SECRET}"),
        "realm=acme.example",
        // A node's sound is there in tests.
        "allow-loopback-peers",
        "no-cli",
        "no-tls",
        "no-dtls",
        "log-file=stdout",
        "simple-log",
        &format!("pidfile={folder}/pid"),
        &format!("userdb={folder}/db"),
        "",
    ]
    .join("\n")
}
