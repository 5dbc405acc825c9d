//! Voters are added, removed and replaced under calls that talk, wait and come: those that lead the company's group and the
//! directory leave, one dies and is given up, and newcomers with empty folders take their places.

use anyhow::Result;
use mangrove_tests::chaos::{self, Conditions, Layout, Row};

use crate::rolling::plan;

/// How long nobody may decide.
const UNAVAILABLE_MS: u64 = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn voters_come_and_go_and_nobody_notices() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let outcome =
        chaos::run(&plan(folder.path())?, Row::Voters, Layout::Apart, Conditions::default()).await?;
    println!("{} calls, {} talked; INVITE answered {:?}", outcome.calls, outcome.talked, outcome.setup);
    let text = || serde_json::to_string_pretty(&outcome).unwrap_or_default();
    assert!(outcome.is_clean() && outcome.refused.is_empty(), "{}", text());
    assert!(outcome.setup.max <= UNAVAILABLE_MS, "{}", text());
    Ok(())
}
