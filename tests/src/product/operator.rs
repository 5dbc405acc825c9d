//! The product's commands, as an operator runs them against a node.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Product;

impl Product {
    /// Runs an operator's command.
    pub fn command(&self, arguments: &[&str]) -> Result<Output> {
        let output = Command::new(binary()?)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("MANGROVE_SERVER", self.url())
            .output()?;
        Ok(output)
    }

    /// As `command` with `-o json`: what it answered. An error carries all that it printed.
    pub fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.command(&[&["-o", "json"], arguments].concat())?;
        let printed = String::from_utf8_lossy(&output.stdout);
        anyhow::ensure!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&printed).with_context(|| printed.into_owned())
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
        Ok(text.replace("127.0.0.1:5080", &self.carrier_address().to_string()))
    }
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The binary that `MANGROVE_BINARY` names, else the one beside this test's own, built by `make build`.
pub fn binary() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("MANGROVE_BINARY") {
        return Ok(std::path::absolute(named)?);
    }
    let here = std::env::current_exe()?;
    let folder = here.parent().and_then(Path::parent).context("the test binary has no folder")?;
    let path = folder.join("mangrove");
    anyhow::ensure!(path.exists(), "{} is missing: run `make build` first", path.display());
    Ok(path)
}
