//! Logs and snapshots with changed bits, or torn by a crash (row 18): never is anything wrong taken for right.

use std::{
    fs::OpenOptions,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use mangrove_tests::{
    cluster::{Cluster, Seat},
    product::{Options, Product},
    wait,
};

use crate::disks::ENDS;

const VOTERS: &[Seat] =
    &[("a", &["control", "console"]), ("b", &["control", "console"]), ("c", &["control", "console"])];

/// The log's newest segment that something is written in; those that were made ahead are zeros.
fn segment(product: &Product) -> Result<PathBuf> {
    let files = std::fs::read_dir(product.folder().join("data/raft/log"))?;
    let paths = files.filter_map(|entry| Some(entry.ok()?.path()));
    let found =
        paths.filter(|path| path.extension().is_some_and(|end| end == "segment") && written(path).is_ok());
    found.max().context("no segment is written in")
}

/// Where the zeros begin.
fn written(path: &Path) -> Result<usize> {
    let bytes = std::fs::read(path)?;
    Ok(bytes.iter().rposition(|byte| *byte != 0).context("nothing is written")? + 1)
}

fn newest(folder: &Path, extension: &str) -> Result<PathBuf> {
    let files = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let found = files.filter(|path| path.extension().is_some_and(|end| end == extension)).max();
    found.with_context(|| format!("no .{extension} in {}", folder.display()))
}

fn flip(path: &Path, place: impl FnOnce(usize) -> usize) -> Result<()> {
    let mut bytes = std::fs::read(path)?;
    bytes[place(written(path)? - 1)] ^= 4;
    Ok(std::fs::write(path, bytes)?)
}

/// It says what is damaged and what to do, and does not run.
async fn refuses(product: &mut Product, words: &str) -> Result<()> {
    product.launch()?;
    let ended = product.ends(ENDS).await?;
    let log = product.log();
    assert!(!ended.success() && log.contains(words) && log.contains("mangrove replace"), "{ended}: {log}");
    Ok(())
}

/// What a crash tore goes, what is damaged is refused, and the others make up for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_log_is_cut_and_a_damaged_one_is_replaced_from_the_others() -> Result<()> {
    let mut cluster = Cluster::start(VOTERS).await?;
    cluster.node("a")?.apply(&cluster.node("a")?.company()?)?;
    let node = cluster.node_mut("b")?;
    node.kill()?;
    let path = segment(node)?;
    // A sector of a frame whose beginning didn't reach the disk.
    let sector = written(&path)?.next_multiple_of(512) + 512;
    OpenOptions::new().write(true).open(&path)?.write_all_at(&[99; 512], sector as u64)?;
    node.revive().await?;
    assert!(node.log().contains("never acknowledged is cut off"), "{}", node.log());
    cluster.settles(Duration::from_secs(60)).await?;

    let node = cluster.node_mut("b")?;
    node.kill()?;
    flip(&segment(node)?, |end| end / 2)?;
    refuses(node, "is damaged").await?;
    let lost = async || cluster.member("b").await.filter(|one| one["alive"] == false);
    wait::until("its absence to be known", lost).await?;
    cluster.node("a")?.ask(&["replace", "b"])?;
    let node = cluster.node_mut("b")?;
    // All but the token, by which the test knows it.
    std::fs::remove_dir_all(node.folder().join("data/raft"))?;
    std::fs::remove_file(node.folder().join("data/node.json"))?;
    node.revive().await?;
    let names = async || {
        let members = cluster.members().await?;
        (members.len() == 3 && members.iter().any(|one| one["name"] == "b")).then_some(())
    };
    wait::until("the damaged one to be gone and the new one to be there", names).await?;
    cluster.settles(Duration::from_secs(60)).await?;
    let there = cluster.node("a")?.api()?.get("/configuration").await?;
    assert_eq!(cluster.node("b")?.api()?.get("/configuration").await?, there);
    Ok(())
}

/// A restored node begins with some.
#[tokio::test]
async fn a_damaged_snapshot_is_refused_by_name() -> Result<()> {
    let product = Product::with_company().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("whole").to_string_lossy().into_owned();
    product.ask(&["backup", "--to", &file])?;
    let mut again = Product::unstarted(Options { name: "new".into(), ..Options::default() })?;
    again.ask(&["restore", "--from", &file, "-c", "mangrove.toml"])?;
    let snapshot = newest(&again.folder().join("data/raft/snapshots/0"), "snapshot")?;
    let whole = std::fs::read(&snapshot)?;
    flip(&snapshot, |end| end / 2)?;
    refuses(&mut again, "checksum does not match").await?;
    std::fs::write(&snapshot, whole)?;
    again.revive().await
}
