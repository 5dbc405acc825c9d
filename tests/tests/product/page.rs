//! The pages in Debian's Chromium while a real call goes on: the supervisor sees it wait, be answered and end; an agent
//! takes a break at the press of a button. What is done in the browser stands in `tests/web`.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use mangrove_tests::{
    baresip::{Baresip, Options as Phone},
    product::{Product, root},
    sipp::{self, Options, Sipp},
    sound::Sound,
    wait,
};
use tempfile::TempDir;

/// A script of `tests/web` under way. Each line it prints is something it saw on the page.
struct Script {
    folder: TempDir,
    child: Child,
}

impl Script {
    fn start(name: &str, url: &str) -> Result<Self> {
        let web = root().join("tests/web");
        anyhow::ensure!(
            web.join("node_modules").exists(),
            "run `npm ci` in {} first, or `make test`",
            web.display()
        );
        let folder = tempfile::tempdir()?;
        let log = std::fs::File::create(folder.path().join("log.txt"))?;
        let child = Command::new("node")
            .arg(name)
            .current_dir(web)
            .env("MANGROVE_URL", url)
            .envs(pictures().map(|folder| ("MANGROVE_PICTURES", folder)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("node can't be started")?;
        Ok(Self { folder, child })
    }

    /// Waits until the script has seen something: a line that starts so.
    async fn saw(&mut self, what: &str) -> Result<()> {
        let seen = wait::within(Duration::from_secs(40), &format!("the page to show: {what}"), async || {
            let seen = self.log().lines().any(|line| line.starts_with(what));
            (seen || self.is_over()).then_some(seen)
        })
        .await;
        anyhow::ensure!(*seen.as_ref().unwrap_or(&false), "the page never showed: {what}\n{}", self.log());
        Ok(())
    }

    /// Waits for its end, which must be a good one.
    async fn succeeds(mut self) -> Result<()> {
        let status = wait::until("the script's end", async || self.child.try_wait().ok().flatten()).await?;
        anyhow::ensure!(status.success(), "{status}\n{}", self.log());
        Ok(())
    }

    fn is_over(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log.txt")).unwrap_or_default()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // A process that ended is what we want; the browser ends with its script.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where pictures are kept, from the repository's root.
fn pictures() -> Option<PathBuf> {
    std::env::var_os("MANGROVE_PICTURES").map(|folder| root().join(folder))
}

async fn reachable(product: &Product, employee: &str) -> Result<()> {
    let api = product.api()?;
    wait::until(&format!("{employee}'s phone to be registered"), async || {
        let live = api.get("/live").await.ok()?;
        let agent = live["agents"].as_array()?.iter().find(|agent| agent["id"] == employee)?;
        agent["reachable"].as_bool()?.then_some(())
    })
    .await
}

#[tokio::test]
async fn the_supervisor_sees_a_call_wait_be_answered_and_end() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let phone = Baresip::start(&Phone::new("101", "anna-sip-password", product.sip, 700.0))?;
    reachable(&product, "anna").await?;
    api.agent("anna", "break").await?;
    let mut script = Script::start("supervisor.mjs", &product.url())?;
    script.saw("a quiet floor").await?;

    let sound = Sound::start(440.0)?;
    let scenario = [sipp::INVITE, sipp::ANSWERED, sipp::ACK, sipp::AWAIT_BYE].concat();
    let options = Options::caller(&product, &sound);
    let call = Sipp::start(&scenario, &options)?;
    script.saw("waiting ").await.inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    api.agent("anna", "available").await?;
    script.saw("talking").await.inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    phone.command("hangup", "")?;
    script.saw("recorded").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    script.succeeds().await?;
    call.succeeds(Duration::from_secs(10)).await
}

#[tokio::test]
async fn an_agent_takes_a_break_at_the_press_of_a_button() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    api.agent("anna", "available").await?;
    let mut script = Script::start("agent.mjs", &product.url())?;
    script.saw("on a break").await?;
    api.agent_is("anna", "break").await?;
    let live = api.get("/live").await?;
    let anna = live["agents"].as_array().unwrap().iter().find(|agent| agent["id"] == "anna").unwrap().clone();
    assert_eq!(anna["reason"], "lunch", "{anna}");
    api.agent("anna", "available").await?;
    script.saw("available again").await?;
    script.succeeds().await
}
