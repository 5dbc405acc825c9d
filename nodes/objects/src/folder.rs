//! A folder of this machine, or of a volume that it mounts.

use std::path::{Path, PathBuf};

use object_store::local::LocalFileSystem;

use crate::Error;

/// The folder that a URL names, if it names one.
pub(crate) fn of(url: &str) -> Option<&Path> {
    let folder = url.strip_prefix("file:")?;
    Some(Path::new(folder.strip_prefix("//").unwrap_or(folder)))
}

/// Made when it is not there. Folders in it that become empty go: each recording has one for its parts.
pub(crate) fn open(folder: &Path) -> Result<LocalFileSystem, Error> {
    let wrong = |source| Error::Folder { folder: PathBuf::from(folder), source };
    std::fs::create_dir_all(folder).map_err(wrong)?;
    let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| wrong(error.into()))?;
    Ok(store.with_automatic_cleanup(true))
}
