//! The product as a process of its own: started on free ports in a folder of its own, stopped, killed, started again.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{api::Api, ports, wait};

/// A running node with every role.
#[derive(Debug)]
pub struct Product {
    folder: TempDir,
    child: Option<Child>,
    /// UDP and TCP port of SIP.
    pub sip: u16,
    /// The carrier's port, named in the company's trunk.
    pub carrier: u16,
    http: u16,
    grpc: u16,
    rtp: (u16, u16),
}

impl Product {
    /// A node on free ports of loopback; nothing is configured yet.
    pub async fn start() -> Result<Self> {
        let first = ports::free() / 2 * 2 + 10_000;
        let mut product = Self {
            folder: tempfile::tempdir()?,
            child: None,
            sip: ports::free(),
            carrier: ports::free(),
            http: ports::free(),
            grpc: ports::free(),
            rtp: (first, first + 1_999),
        };
        product.revive().await?;
        Ok(product)
    }

    /// A node with the company of `acme.yaml`, its trunk being `127.0.0.1:<carrier>`.
    pub async fn with_company() -> Result<Self> {
        let product = Self::start().await?;
        product.apply(&product.company()?)?;
        Ok(product)
    }

    /// Starts the process again with the same ports and folder, and waits until it is ready.
    pub async fn revive(&mut self) -> Result<()> {
        std::fs::write(self.folder.path().join("mangrove.toml"), self.configuration())?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_path())?;
        let child = Command::new(binary()?)
            .args(["serve", "-c", "mangrove.toml"])
            .current_dir(self.folder.path())
            .env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "info".into()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.child = Some(child);
        let ready = format!("http://127.0.0.1:{}/readyz", self.http);
        let waited = wait::until("the node to be ready", async || {
            reqwest::get(&ready).await.ok()?.error_for_status().ok()
        })
        .await;
        waited.map(|_| ()).with_context(|| self.log())
    }

    /// kill -9.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// The HTTP API with the administrator's token.
    pub fn api(&self) -> Result<Api> {
        let token = std::fs::read_to_string(self.folder.path().join("data/admin.token"))?;
        Api::new(format!("http://127.0.0.1:{}", self.http), token.trim())
    }

    /// Base of the pages.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// Runs an operator's command.
    pub fn command(&self, arguments: &[&str]) -> Result<Output> {
        let output = Command::new(binary()?)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("MANGROVE_SERVER", self.url())
            .output()?;
        Ok(output)
    }

    /// `mangrove apply`; an error carries what it printed.
    pub fn apply(&self, yaml: &str) -> Result<String> {
        std::fs::write(self.folder.path().join("company.yaml"), yaml)?;
        let output = self.command(&["apply", "-f", "company.yaml"])?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        anyhow::ensure!(output.status.success(), "apply failed: {text}\n{}", self.log());
        Ok(text)
    }

    /// The company of the repository's example, with this run's carrier.
    pub fn company(&self) -> Result<String> {
        let text = std::fs::read_to_string(root().join("examples/acme.yaml"))?;
        Ok(text.replace("127.0.0.1:5080", &format!("127.0.0.1:{}", self.carrier)))
    }

    /// The node's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the process printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log.txt")
    }

    fn configuration(&self) -> String {
        let Self { sip, http, grpc, rtp, .. } = self;
        format!(
            "node = \"a\"\ndata_dir = \"data\"\n\
             [sip]\nudp = \"127.0.0.1:{sip}\"\ntcp = \"127.0.0.1:{sip}\"\n\
             [rtp]\naddress = \"127.0.0.1\"\nports = \"{}-{}\"\n\
             [http]\nlisten = \"127.0.0.1:{http}\"\n\
             [cluster]\nlisten = \"127.0.0.1:{grpc}\"\n",
            rtp.0, rtp.1
        )
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        // The folder goes with it; a process that is gone already is stopped.
        let _ = self.kill();
    }
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The binary beside this test's own, built by `make build`.
fn binary() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().and_then(Path::parent).context("the test binary has no folder")?;
    let path = folder.join("mangrove");
    anyhow::ensure!(path.exists(), "{} is missing: run `make build` first", path.display());
    Ok(path)
}
