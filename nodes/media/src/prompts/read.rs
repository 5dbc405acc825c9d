//! Reads sounds from the object store and from files.

use std::{path::Path, sync::Arc, time::Duration};

use mangrove_rtp::{prompt::Prompt, resample, wav};
use object_store::{ObjectStore, ObjectStoreExt};

use super::Error;

/// The largest file that is read: more than the longest that can be uploaded, or ten minutes at 16 kHz.
pub(super) const LARGEST: u64 = 20 << 20;
/// The object store must answer within this.
const DEADLINE: Duration = Duration::from_secs(2);

/// What the object store says of a sound.
#[derive(Debug)]
pub(super) enum Found {
    File(Vec<u8>),
    Nothing,
    /// It failed, or took too long: it may be there.
    Unanswered,
}

/// A store that fails is no reason to refuse: calls go on with what was heard before, or with the other places.
pub(super) async fn object(
    objects: &dyn ObjectStore,
    path: &object_store::path::Path,
    key: &str,
) -> Result<Found, Error> {
    let read = async {
        let found = objects.get(path).await?;
        if found.meta.size > LARGEST {
            return Ok(Err(found.meta.size));
        }
        found.bytes().await.map(Ok)
    };
    match tokio::time::timeout(DEADLINE, read).await {
        Ok(Ok(Ok(bytes))) => Ok(Found::File(bytes.into())),
        Ok(Ok(Err(bytes))) => Err(Error::TooLarge { key: key.to_owned(), bytes }),
        Ok(Err(object_store::Error::NotFound { .. })) => Ok(Found::Nothing),
        Ok(Err(error)) => {
            tracing::warn!(key, %error, "the object store did not give a sound");
            Ok(Found::Unanswered)
        }
        Err(_) => {
            tracing::warn!(key, "the object store did not give a sound in time");
            Ok(Found::Unanswered)
        }
    }
}

/// A file; None when it is not there.
pub(super) async fn file(path: &Path, key: &str) -> Result<Option<Vec<u8>>, Error> {
    let Ok(about) = tokio::fs::metadata(path).await else { return Ok(None) };
    if about.len() > LARGEST {
        return Err(Error::TooLarge { key: key.to_owned(), bytes: about.len() });
    }
    Ok(tokio::fs::read(path).await.ok())
}

/// Decodes a file away from the threads that answer commands: ten minutes of sound take a while.
pub(super) async fn encoded(key: &str, file: Vec<u8>) -> Result<Arc<Prompt>, Error> {
    let named = key.to_owned();
    let decoded = tokio::task::spawn_blocking(move || {
        let sound = wav::read(&file).map_err(|error| Error::Malformed { key: named, error })?;
        Ok(Arc::new(Prompt::new(&resample::to_8k(&sound.samples, sound.rate))))
    });
    decoded.await.unwrap_or_else(|_| Err(Error::Broken { key: key.to_owned() }))
}
