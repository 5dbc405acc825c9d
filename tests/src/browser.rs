//! A check of the pages in Debian's Chromium: a script of `tests/web` as a process. What is done in the browser stands
//! there; what happens meanwhile in the company is the test's.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{product::root, wait};

/// A script of `tests/web` under way. Each line it prints is something it saw on the page.
#[derive(Debug)]
pub struct Script {
    folder: TempDir,
    child: Child,
}

impl Script {
    /// Opens the page at `url` in a browser of its own.
    pub fn start(name: &str, url: &str) -> Result<Self> {
        Self::start_with(name, url, None)
    }

    /// As `start`; the script gets the administrator's token too.
    pub fn start_with(name: &str, url: &str, token: Option<&str>) -> Result<Self> {
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
            .envs(token.map(|token| ("MANGROVE_TOKEN", token)))
            .envs(pictures().map(|folder| ("MANGROVE_PICTURES", folder)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("node can't be started")?;
        Ok(Self { folder, child })
    }

    /// Waits until the script has seen something: a line that starts so.
    pub async fn saw(&mut self, what: &str) -> Result<()> {
        let seen = wait::within(Duration::from_secs(40), &format!("the page to show: {what}"), async || {
            let seen = self.log().lines().any(|line| line.starts_with(what));
            (seen || self.is_over()).then_some(seen)
        })
        .await;
        anyhow::ensure!(*seen.as_ref().unwrap_or(&false), "the page never showed: {what}\n{}", self.log());
        Ok(())
    }

    /// Waits for its end, which must be a good one.
    pub async fn succeeds(mut self) -> Result<()> {
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
