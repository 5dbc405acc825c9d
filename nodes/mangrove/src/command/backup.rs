//! `mangrove backup --to FILE`: the running cluster in one file, checked before it gets its name.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use mangrove_control::backup::{self, Archive};
use serde_json::json;

use super::Session;
use crate::output;

pub(crate) async fn backup(session: &Session, to: &Path) -> Result<()> {
    if to.exists() {
        bail!("{} is there already: name another file", to.display());
    }
    let partial = partial(to)?;
    let taken = take(session, &partial).await;
    if taken.is_err() {
        // What is no backup must not look like one.
        let _ = fs::remove_file(&partial);
    }
    let (archive, bytes) = taken?;
    fs::rename(&partial, to).with_context(|| format!("{} can't be put in place", to.display()))?;
    let header = &archive.header;
    let answer = json!({
        "file": to, "bytes": bytes, "cluster": header.cluster, "made_at": header.made_at, "groups": archive.groups.len()
    });
    output::show(session.arguments.output, &answer, || {
        format!(
            "cluster {} is in {} ({bytes} bytes): it has the cluster's keys, keep it as a secret\n",
            header.cluster,
            to.display()
        )
    })
}

/// In the same folder, so that the rename is one step.
fn partial(to: &Path) -> Result<PathBuf> {
    let mut name = to.file_name().with_context(|| format!("{} names no file", to.display()))?.to_owned();
    name.push(".partial");
    Ok(to.with_file_name(name))
}

async fn take(session: &Session, partial: &Path) -> Result<(Archive, u64)> {
    let mut file = create(partial).with_context(|| format!("{} can't be written", partial.display()))?;
    let mut bytes = 0;
    let mut answer = session.client.stream(&["cluster", "backup"]).await?;
    while let Some(part) = answer.next().await? {
        bytes += part.len() as u64;
        file.write_all(&part).with_context(|| format!("{} can't be written", partial.display()))?;
    }
    file.sync_all()?;
    let archive = backup::read(partial).context("what came from the node")?;
    Ok((archive, bytes))
}

/// A file of its owner alone; what an earlier try left is replaced.
fn create(path: &Path) -> std::io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
