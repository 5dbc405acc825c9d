//! Opens the object store that `objects.url` names.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use object_store::{ObjectStore, local::LocalFileSystem, parse_url_opts, prefix::PrefixStore};

/// `file:PATH` is a folder, made when it is not there. Cloud stores take their credentials from the environment,
/// under their own names (`AWS_ACCESS_KEY_ID`).
pub(crate) fn open(url: &str) -> Result<Arc<dyn ObjectStore>> {
    if let Some(folder) = url.strip_prefix("file:") {
        return local(Path::new(folder.strip_prefix("//").unwrap_or(folder)));
    }
    let parsed = reqwest::Url::parse(url).context("objects.url is no URL")?;
    let environment = std::env::vars().map(|(name, value)| (name.to_lowercase(), value));
    let (store, prefix) = parse_url_opts(&parsed, environment)
        .with_context(|| format!("this build can't open objects.url {}://", parsed.scheme()))?;
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}

fn local(folder: &Path) -> Result<Arc<dyn ObjectStore>> {
    let wrong = || format!("objects.url: the folder {} can't be used", folder.display());
    std::fs::create_dir_all(folder).with_context(wrong)?;
    let store = LocalFileSystem::new_with_prefix(folder).with_context(wrong)?;
    Ok(Arc::new(store.with_fsync(true)))
}
