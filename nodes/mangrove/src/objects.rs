//! Opens the object store that `objects.url` names.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use object_store::{ObjectStore, local::LocalFileSystem};

/// `file:PATH` is a folder, made when it is not there; what is written there is on the disk. Other stores are not built
/// in.
pub(crate) fn open(url: &str) -> Result<Arc<dyn ObjectStore>> {
    let folder = folder(url).context("objects.url names no folder; allowed: file:PATH")?;
    Ok(Arc::new(local(folder)?.with_fsync(true)))
}

/// The same place without waiting for the disk, for the parts of running recordings: they come every two seconds from
/// each call, survive a killed process all the same, and the finished file is written anew. None where `open`
/// does as well.
pub(crate) fn open_hasty(url: &str) -> Result<Option<Arc<dyn ObjectStore>>> {
    folder(url).map(|folder| Ok(Arc::new(local(folder)?) as Arc<dyn ObjectStore>)).transpose()
}

fn folder(url: &str) -> Option<&Path> {
    url.strip_prefix("file:").map(|folder| Path::new(folder.strip_prefix("//").unwrap_or(folder)))
}

/// Folders that become empty go: each recording has one for its parts.
fn local(folder: &Path) -> Result<LocalFileSystem> {
    let wrong = || format!("objects.url: the folder {} can't be used", folder.display());
    std::fs::create_dir_all(folder).with_context(wrong)?;
    Ok(LocalFileSystem::new_with_prefix(folder).with_context(wrong)?.with_automatic_cleanup(true))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;

    #[tokio::test]
    async fn parts_lie_in_the_same_folder_and_leave_none_behind() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file:{}", folder.path().display());
        let (objects, parts) = (open(&url).unwrap(), open_hasty(&url).unwrap().unwrap());
        let part = "acme/r.wav.part/000001.pcm".into();
        parts.put(&part, vec![1; 4].into()).await.unwrap();
        assert_eq!(objects.get(&part).await.unwrap().bytes().await.unwrap().len(), 4);
        objects.put(&"acme/r.wav".into(), vec![1; 48].into()).await.unwrap();
        objects.delete(&part).await.unwrap();
        assert!(!folder.path().join("acme/r.wav.part").exists());
        assert!(folder.path().join("acme/r.wav").exists());
    }
}
