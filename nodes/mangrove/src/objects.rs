//! Opens the object store that `objects.url` names.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use object_store::{ObjectStore, local::LocalFileSystem};

/// `file:PATH` is a folder, made when it is not there. Other stores are not built in.
pub(crate) fn open(url: &str) -> Result<Arc<dyn ObjectStore>> {
    let folder = url.strip_prefix("file:").context("objects.url names no folder; allowed: file:PATH")?;
    local(Path::new(folder.strip_prefix("//").unwrap_or(folder)))
}

fn local(folder: &Path) -> Result<Arc<dyn ObjectStore>> {
    let wrong = || format!("objects.url: the folder {} can't be used", folder.display());
    std::fs::create_dir_all(folder).with_context(wrong)?;
    let store = LocalFileSystem::new_with_prefix(folder).with_context(wrong)?;
    Ok(Arc::new(store.with_fsync(true)))
}
