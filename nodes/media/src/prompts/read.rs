//! Reads sounds from the object store and from files.

use std::{path::Path, sync::Arc, time::Duration};

use mangrove_rtp::{prompt::Prompt, resample, wav};
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use super::Error;

/// The largest file that is read: more than the longest that can be uploaded, or ten minutes at 16 kHz.
pub(super) const LARGEST: u64 = 20 << 20;
/// The object store must answer within this.
const DEADLINE: Duration = Duration::from_secs(2);
/// One that did not say a word is not asked for so long: a session of many sounds waits once.
const AWAY: Duration = Duration::from_secs(5);

/// What the object store says of a sound.
#[derive(Debug)]
pub(super) enum Found {
    File(Vec<u8>),
    Nothing,
    /// It failed, or took too long: it may be there.
    Unanswered,
}

/// The object store, as sounds are asked of it. One that fails is no reason to refuse: calls go on with what was heard before,
/// or with the other places.
#[derive(Debug)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    away_until: Mutex<Option<Instant>>,
}

impl Objects {
    pub(super) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, away_until: Mutex::default() }
    }

    /// The sound at this path, if it is there; `key` names it in errors.
    pub(super) async fn find(&self, path: &object_store::path::Path, key: &str) -> Result<Found, Error> {
        if self.is_away() {
            return Ok(Found::Unanswered);
        }
        let deadline = Instant::now() + DEADLINE;
        let Ok(answer) = timeout_at(deadline, self.store.get(path)).await else {
            *self.away_until.lock() = Some(Instant::now() + AWAY);
            tracing::warn!(key, "the object store does not answer");
            return Ok(Found::Unanswered);
        };
        let read = async {
            let found = answer?;
            if found.meta.size > LARGEST {
                return Ok(Err(found.meta.size));
            }
            found.bytes().await.map(Ok)
        };
        match timeout_at(deadline, read).await {
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

    fn is_away(&self) -> bool {
        self.away_until.lock().is_some_and(|until| Instant::now() < until)
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
