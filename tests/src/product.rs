//! The product as a process of its own: started on free ports in a folder of its own, stopped, killed, started again.

mod breakage;
mod operator;
mod options;
mod pause;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
    time::Duration,
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{api::Api, ports, wait};
use breakage::Breakage;
pub use operator::{binary, root};
pub use options::{ALL, Fragile, Machine, Options};

/// A running node.
#[derive(Debug)]
pub struct Product {
    // Before the folder that it lies in.
    breakage: Breakage,
    folder: TempDir,
    child: Option<Child>,
    /// Stopped by a signal or cut off: it is there and answers nobody.
    paused: bool,
    api: OnceLock<Api>,
    options: Options,
    /// Of its next start; the usual one when none.
    binary: Option<PathBuf>,
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
        Self::start_at(Options::default()).await
    }

    /// A node on free ports of the host that the calling thread is on, which must stay there.
    pub async fn start_at(options: Options) -> Result<Self> {
        let mut product = Self::unstarted(options)?;
        product.revive().await?;
        Ok(product)
    }

    /// A node that does not run yet: its folder holds its configuration.
    pub fn unstarted(options: Options) -> Result<Self> {
        let mut product = Self {
            folder: tempfile::tempdir()?,
            child: None,
            paused: false,
            api: OnceLock::new(),
            options,
            binary: None,
            breakage: Breakage::None,
            sip: ports::free(),
            carrier: ports::free(),
            http: ports::free(),
            grpc: ports::free(),
            rtp: ports::range(),
        };
        std::fs::write(product.folder.path().join("mangrove.toml"), product.configuration())?;
        product.breakage = Breakage::of(product.options.fragile, product.folder.path())?;
        Ok(product)
    }

    /// A node with the company of `acme.yaml`, its trunk being the carrier's address.
    pub async fn with_company() -> Result<Self> {
        Self::with_company_at(Options::default()).await
    }

    /// As `with_company`, elsewhere.
    pub async fn with_company_at(options: Options) -> Result<Self> {
        let product = Self::start_at(options).await?;
        product.apply(&product.company()?)?;
        Ok(product)
    }

    /// Starts the process again with the same ports and folder, and waits until it is ready.
    pub async fn revive(&mut self) -> Result<()> {
        self.launch()?;
        self.ready(wait::USUAL).await
    }

    /// As `revive` without waiting: one that needs others to be ready is started before them.
    pub fn launch(&mut self) -> Result<()> {
        std::fs::write(self.folder.path().join("mangrove.toml"), self.configuration())?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_path())?;
        let binary = self.binary.clone().map_or_else(binary, Ok)?;
        let mut command = Command::new(binary);
        command.args(["serve", "-c", "mangrove.toml"]).current_dir(self.folder.path());
        command.envs(self.breakage.environment());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = match &self.options.machine {
            Some(machine) => machine.host.within(|| Ok(command.spawn()?))?,
            None => command.spawn()?,
        };
        self.child = Some(child);
        Ok(())
    }

    /// Waits until the node says that it is ready.
    pub async fn ready(&self, limit: Duration) -> Result<()> {
        let ready = format!("{}/readyz", self.url());
        let waited = wait::within(limit, "the node to be ready", async || {
            reqwest::get(&ready).await.ok()?.error_for_status().ok()
        })
        .await;
        waited.map(|_| ()).with_context(|| format!("node {}:\n{}", self.options.name, self.log()))
    }

    /// kill -9.
    pub fn kill(&mut self) -> Result<()> {
        self.paused = false;
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Which binary it is started with from now on: the usual one when none.
    pub fn set_binary(&mut self, binary: Option<PathBuf>) {
        self.binary = binary;
    }

    /// Notes that nobody reaches the node for a while, as its machine's cable is out, or that it is back.
    pub fn set_reachable(&mut self, is_reachable: bool) {
        self.paused = !is_reachable;
    }

    /// The HTTP API with the administrator's token.
    pub fn api(&self) -> Result<Api> {
        if let Some(api) = self.api.get() {
            return Ok(api.clone());
        }
        let token = std::fs::read_to_string(self.folder.path().join("data/admin.token"))?;
        let api = Api::new(self.url(), token.trim())?;
        Ok(self.api.get_or_init(|| api).clone())
    }

    /// Its name in the cluster.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// Where other nodes reach it.
    pub fn grpc_address(&self) -> SocketAddr {
        SocketAddr::from((self.own_address(), self.grpc))
    }

    /// Whether it has this role.
    pub fn has(&self, role: &str) -> bool {
        self.options.roles.contains(&role)
    }

    /// Waits until the process has ended by itself; how.
    pub async fn ends(&mut self, limit: Duration) -> Result<ExitStatus> {
        let ended = wait::within(limit, "the process to end", async || self.has_ended()).await;
        ended.with_context(|| self.log())
    }

    /// How the process has ended by itself, the first time that this is seen.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        let ended = self.child.as_mut()?.try_wait().ok().flatten();
        self.child.take_if(|_| ended.is_some());
        ended
    }

    /// Whether the process runs and is not paused, as far as this test knows.
    pub fn is_alive(&self) -> bool {
        self.child.is_some() && !self.paused
    }

    /// Where far ends reach its SIP.
    pub fn sip_address(&self) -> SocketAddr {
        SocketAddr::new(self.options.public.unwrap_or(self.options.address), self.sip)
    }

    /// The carrier's address, named in the company's trunk.
    pub fn carrier_address(&self) -> SocketAddr {
        SocketAddr::new(self.options.carrier, self.carrier)
    }

    /// Base of the pages.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.own_address(), self.http)
    }

    fn own_address(&self) -> Ipv4Addr {
        self.options.machine.as_ref().map_or(Ipv4Addr::LOCALHOST, |machine| machine.address)
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
}

impl Drop for Product {
    fn drop(&mut self) {
        // The folder goes with it; a process that is gone already is stopped.
        let _ = self.kill();
    }
}
