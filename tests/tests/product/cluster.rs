//! A cluster under load loses nodes by kill -9: whoever talked talks on, whoever waited keeps the place, and in the end
//! each call has one record.

use anyhow::Result;
use mangrove_tests::cluster::{ALIKE, APART};

use crate::office::Office;

/// The longest silence that the death of a node may cause which carries no sound.
pub(crate) const UNHEARD_MS: u64 = 200;
/// The longest silence when an heir takes a media node's addresses.
const CARRIED_MS: u64 = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leads_may_die_again_and_again() -> Result<()> {
    let mut office = Office::open(APART, "edge-1").await?;
    for _ in 0..3 {
        office.loses_its_leader().await?;
    }
    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_carries_sound_may_die() -> Result<()> {
    let mut office = Office::open(APART, "edge-1").await?;
    for name in ["media-1", "media-2"] {
        office.loses(name).await?;
    }
    let report = office.closes().await?;
    assert!(report.gap.max <= CARRIED_MS, "a silence of {} ms", report.gap.max);
    println!("silence of {:?} ms", report.gap);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_carries_signalling_may_die() -> Result<()> {
    let mut office = Office::open(APART, "edge-1").await?;
    office.loses("edge-1").await?;
    let report = office.closes().await?;
    assert!(report.gap.max <= UNHEARD_MS, "a silence of {} ms", report.gap.max);
    Ok(())
}

/// A node with every role: its group's leader, the edge that all phones know, and some of the sound, all at once.
#[tokio::test(flavor = "multi_thread")]
async fn any_of_three_alike_may_die() -> Result<()> {
    let mut office = Office::open(ALIKE, "a").await?;
    for name in ["a", "b", "c"] {
        office.loses(name).await?;
    }
    let report = office.closes().await?;
    println!("silence of {:?} ms", report.gap);
    Ok(())
}
