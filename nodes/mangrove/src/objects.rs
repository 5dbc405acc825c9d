//! Opens the object store that the configuration names, with the operator's master keys.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use mangrove_media::Spool;
use mangrove_objects::{Masters, Opened, Settings};
use object_store::ObjectStore;

use crate::configuration::{Configuration, Objects};

/// Between two questions to a store that does not answer.
const AGAIN: Duration = Duration::from_secs(60);

/// The store, sealed where there are keys, and the place where recordings wait while it is away.
pub(crate) fn open(configuration: &Configuration) -> Result<(Opened, Spool)> {
    let objects = &configuration.objects;
    let masters = objects.keys.as_deref().map(masters).transpose()?.map(Arc::new);
    let opened = mangrove_objects::connect(&settings(objects), masters.clone());
    let opened = opened.context("objects.url can't be opened")?;
    let folder = configuration.data_dir.join("spool");
    let spool = Spool::open(&folder, objects.spool_mb << 20, masters);
    Ok((opened, spool.with_context(|| format!("recordings can't wait in {}", folder.display()))?))
}

/// The store as it lies there.
pub(crate) fn open_bare(objects: &Objects) -> Result<Arc<dyn ObjectStore>> {
    mangrove_objects::connect_bare(&settings(objects)).context("objects.url can't be opened")
}

/// The master keys of a file.
pub(crate) fn masters(file: &Path) -> Result<Masters> {
    Masters::read(file).with_context(|| format!("objects.keys: {} holds no master keys", file.display()))
}

/// Says so once if the store overwrites what it is told to create. A folder never does; one that is away is asked again.
pub(crate) async fn check(url: String, objects: Arc<dyn ObjectStore>) {
    while url.starts_with("s3:") {
        match mangrove_objects::creates_only_once(objects.as_ref()).await {
            Ok(true) => return,
            Ok(false) => {
                return tracing::error!(
                    "the S3 server of objects.url does not know If-None-Match: two nodes that write one recording, as \
                     after a failure, spoil it; use a server that does"
                );
            }
            Err(error) => tracing::warn!(%error, "the object store does not answer"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn settings(objects: &Objects) -> Settings {
    Settings {
        url: objects.url.clone(),
        region: objects.region.clone(),
        endpoint: objects.endpoint.clone(),
        allow_http: objects.allow_http,
        credentials: objects.credentials.clone(),
    }
}
