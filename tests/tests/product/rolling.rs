//! A rolling restart, as for a new version: each node in turn gets SIGTERM, hands over what it does, ends, and is started
//! again under calls that talk, wait and come. Nobody notices.

use anyhow::Result;
use mangrove_tests::{
    chaos::{self, Conditions, Layout, Outcome, Plan, Row},
    cluster::{APART, Cluster},
};
use serde_json::Value;

use crate::office::Office;

/// The longest silence where addresses are handed over: 42 ms on a machine that does nothing else, more on one that is busy. An
/// heir that has to find out takes over a second.
pub(crate) const HANDED_OVER_MS: u64 = 500;

/// A small load: talks of some seconds, so that many begin and end beside each restart.
pub(crate) fn plan(folder: &std::path::Path) -> Result<Plan> {
    let folder = folder.display().to_string();
    let chosen = [("CALLS", "20"), ("RATE", "2.5"), ("FAULTS", "1"), ("FOLDER", folder.as_str())];
    Plan::read(|name| {
        let found = chosen.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

async fn rolls(layout: Layout) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let outcome = chaos::run(&plan(folder.path())?, Row::Rolling, layout, Conditions::default()).await?;
    println!(
        "{} calls, {} talked; silences over 200 ms {:?}, longest {} ms; INVITE answered after {:?} ms",
        outcome.calls, outcome.talked, outcome.gap.count, outcome.longest, outcome.setup
    );
    assert!(outcome.is_clean() && is_unnoticed(&outcome), "{}", serde_json::to_string_pretty(&outcome)?);
    Ok(())
}

/// No new call failed, nobody was deaf, and no talk fell silent for long.
fn is_unnoticed(outcome: &Outcome) -> bool {
    outcome.refused.is_empty() && outcome.deaf == 0 && outcome.longest <= HANDED_OVER_MS
}

#[tokio::test(flavor = "multi_thread")]
async fn three_alike_are_restarted_one_by_one() -> Result<()> {
    rolls(Layout::Alike).await
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_apart_are_restarted_one_by_one() -> Result<()> {
    rolls(Layout::Apart).await
}

/// An operator's command, while callers and agents go on.
fn ask(cluster: &Cluster, arguments: &[&str]) -> Result<Value> {
    let console = cluster.console()?;
    tokio::task::block_in_place(|| console.ask(arguments))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_node_carries_nothing_until_it_takes_its_share_again() -> Result<()> {
    let office = Office::open(APART, "edge-1").await?;
    for (name, other) in [("media-1", "media-2"), ("edge-1", "edge-2")] {
        ask(&office.cluster, &["drain", name])?;
        assert_eq!(office.cluster.carrier(name).await.as_deref(), Some(other));
        let refused = ask(&office.cluster, &["drain", other]).unwrap_err().to_string();
        assert!(refused.contains("is the last one with the role"), "{refused}");
        ask(&office.cluster, &["drain", "--undo", name])?;
        office.carrier(name, |carrier| carrier == name).await?;
    }
    let report = office.closes().await?;
    println!("silence of {:?} ms", report.gap);
    assert!(report.gap.max <= HANDED_OVER_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}
