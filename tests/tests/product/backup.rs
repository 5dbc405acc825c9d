//! A backup of a cluster under calls, and a new cluster made of it elsewhere.

use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result};
use mangrove_loadtest::company;
use mangrove_tests::{
    cluster::ALIKE,
    product::{Options, Product},
};
use serde_json::Value;

use crate::office::{CALLERS, Office};

/// The configuration without what another cluster may count otherwise.
async fn configuration(product: &Product) -> Result<Value> {
    product.api()?.tenant(company::TENANT).get("/configuration").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_under_calls_is_a_new_cluster_elsewhere() -> Result<()> {
    let office = Office::open(ALIKE, "a").await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mangrove.backup");
    let name = file.to_str().context("a path")?;
    let made = office.cluster.console()?.ask(&["backup", "--to", name])?;
    assert_eq!(
        (std::fs::metadata(&file)?.permissions().mode() & 0o777, &made["groups"]),
        (0o600, &16.into())
    );
    let again = office.cluster.console()?.ask(&["backup", "--to", name]);
    assert!(again.err().context("written over")?.to_string().contains("is there already"));

    let mut elsewhere = Product::unstarted(Options { name: "new".into(), ..Options::default() })?;
    let restored = elsewhere.ask(&["restore", "--from", name, "-c", "mangrove.toml"])?;
    assert_eq!((&restored["tenants"], &restored["calls_ended"]), (&1.into(), &CALLERS.into()), "{restored}");
    elsewhere.revive().await?;
    assert_eq!(configuration(&elsewhere).await?, configuration(office.cluster.console()?).await?);
    let api = elsewhere.api()?.tenant(company::TENANT);
    let records = api.cdrs(CALLERS).await.with_context(|| elsewhere.log())?;
    assert!(records.iter().all(|record| record["cause"] == "restored"), "{records:?}");
    api.quiet().await?;
    // It is a cluster like any other: its numbers are taken, its companies change, another start finds it again.
    let taken = elsewhere.apply(&elsewhere.company()?.replace("74951234567", company::NUMBER));
    assert!(taken.err().context("a number of two companies")?.to_string().contains("another tenant"));
    elsewhere.apply(&elsewhere.company()?)?;
    elsewhere.kill()?;
    elsewhere.revive().await?;
    assert_eq!(elsewhere.ask(&["get", "tenants"])?.as_array().map(Vec::len), Some(2));
    office.closes().await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_over_live_data_or_of_a_damaged_file_changes_nothing() -> Result<()> {
    let product = Product::with_company().await?;
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    product.ask(&["backup", "--to", &file("whole")])?;
    let mut damaged = std::fs::read(file("whole"))?;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(file("damaged"), &damaged)?;
    std::fs::write(file("short"), &damaged[..middle])?;
    std::fs::write(file("other"), "no backup")?;
    let new = file("data");
    for (from, into, why) in [
        ("whole", "data", "not empty"),
        ("damaged", &new, "checksum"),
        ("short", &new, "cut short"),
        ("other", &new, "no backup of mangrove"),
        ("missing", &new, "can't be read"),
    ] {
        let refused = product.ask(&["restore", "--from", &file(from), "--data-dir", into]);
        let text = refused.err().with_context(|| format!("{from} was restored"))?.to_string();
        assert!(text.contains(why), "{from}: {text}");
        assert!(!folder.path().join("data").exists(), "{from}");
    }
    product.api()?.get("/configuration").await.map(drop)
}
