//! The short set of `make chaos`: few calls, and nobody may lose one, a place in line or a record.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::chaos::{self, Conditions, Layout, Net, Outcome, Plan, Row};

fn plan(folder: &tempfile::TempDir) -> Plan {
    Plan {
        rows: Vec::new(),
        layouts: Vec::new(),
        net: Net::Loopback,
        faults: 0,
        calls: 12,
        rate: 1.5,
        down: Duration::from_secs(1),
        pause: Duration::from_secs(2),
        cut: Duration::from_secs(6),
        flap: Duration::from_secs(10),
        quiet: Duration::from_secs(5),
        folder: folder.path().into(),
        newer: None,
    }
}

async fn lose_nothing(rows: &[Row], layout: Layout) -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    lose_nothing_of(&plan(&folder), rows, layout).await
}

async fn lose_nothing_of(plan: &Plan, rows: &[Row], layout: Layout) -> Result<Outcome> {
    let outcome = chaos::mixed(plan, rows[0], rows, layout, Conditions::default()).await?;
    anyhow::ensure!(outcome.has_lost_nothing(), "{}", serde_json::to_string_pretty(&outcome)?);
    assert_eq!(outcome.faults.len(), rows.len());
    assert!(outcome.talked > 0, "nobody talked: {outcome:?}");
    Ok(outcome)
}

/// The leader most often, each other role once.
#[tokio::test]
async fn each_role_is_killed_and_the_leader_again_and_again() -> Result<()> {
    let mut rows = vec![Row::Leader; 10];
    rows.extend([Row::Edge, Row::Media, Row::Follower]);
    lose_nothing(&rows, Layout::Apart).await.map(drop)
}

/// A machine in the minority, the leader's and then a follower's, under calls whose sound and signalling it carries.
#[tokio::test]
async fn a_minority_is_cut_off_and_comes_back() -> Result<()> {
    lose_nothing(&[Row::LeaderCut, Row::FollowerCut], Layout::Alike).await.map(drop)
}

/// Callers hear that they should try again, and those who talk notice nothing.
#[tokio::test]
async fn edges_that_control_does_not_hear_say_so() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // So long that somebody calls early enough in it, whatever chance says.
    let plan = Plan { cut: Duration::from_secs(8), ..plan(&folder) };
    let outcome = lose_nothing_of(&plan, &[Row::EdgesCut], Layout::Apart).await?;
    let told = outcome.told;
    assert!(told.asked > 0 && told.took.count == told.asked, "{told:?}: some caller heard nothing");
    Ok(())
}
