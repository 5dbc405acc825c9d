//! Wraps the keys of recordings by the newest master key, so that an older one can be thrown away. Sound is not touched, and
//! calls and listeners go on meanwhile.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, Result, path::Path};

use crate::{
    error::{discreet, refused},
    masters::{Masters, Wrapped},
    place, vault,
};

/// Keys at the same time.
const AT_ONCE: usize = 16;

/// What was found, in keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Wrapped anew.
    pub rewrapped: u64,
    /// Wrapped by the newest master key before.
    pub current: u64,
    /// Of recordings that are not finished: to be rewrapped when they are.
    pub open: u64,
    /// Could not be opened or written: which, and why.
    pub failed: Vec<String>,
}

enum Outcome {
    Rewrapped,
    Current,
    Open,
    Failed(String),
}

/// Goes through all keys of a store that is read as it is ([`connect_bare`](crate::connect_bare)). A second run goes on with
/// what a first one left.
pub async fn rewrap(store: &Arc<dyn ObjectStore>, masters: &Masters) -> Result<Rewrapped> {
    let all = store.list(Some(&Path::from(place::SOUND))).map_err(discreet);
    let keys = all.try_filter_map(|meta| {
        let file = place::file_of_key(&meta.location);
        std::future::ready(Ok(file.map(|file| (meta.location, file))))
    });
    let outcomes = keys.map(|key| async move {
        let (key, file) = key?;
        Ok::<_, StoreError>(outcome(store.as_ref(), masters, &key, &file?).await)
    });
    let counted = outcomes.buffer_unordered(AT_ONCE).try_fold(Rewrapped::default(), |mut count, outcome| {
        match outcome {
            Outcome::Rewrapped => count.rewrapped += 1,
            Outcome::Current => count.current += 1,
            Outcome::Open => count.open += 1,
            Outcome::Failed(why) => count.failed.push(why),
        }
        std::future::ready(Ok(count))
    });
    counted.await
}

async fn outcome(store: &dyn ObjectStore, masters: &Masters, key: &Path, file: &Path) -> Outcome {
    let outcome = one(store, masters, key, file).await;
    outcome.unwrap_or_else(|error| Outcome::Failed(format!("{key}: {error}")))
}

/// A recording that is not finished keeps its key as it is: whether it goes on or is forgotten meanwhile could not be told.
async fn one(store: &dyn ObjectStore, masters: &Masters, key: &Path, file: &Path) -> Result<Outcome> {
    let Some(wrapped) = vault::read(store, key).await? else { return Ok(Outcome::Current) };
    if wrapped.master == masters.newest() {
        return Ok(Outcome::Current);
    }
    if !is_there(store, file).await? {
        return Ok(Outcome::Open);
    }
    let anew = anew(masters, &wrapped, key).map_err(|error| refused(key, error))?;
    store.put(key, vault::text(&anew).into()).await.map_err(discreet)?;
    // Deleted meanwhile: a key that nothing needs is not left behind.
    if !is_there(store, file).await? {
        store.delete(key).await.map_err(discreet)?;
    }
    Ok(Outcome::Rewrapped)
}

fn anew(masters: &Masters, wrapped: &Wrapped, key: &Path) -> Result<Wrapped, crate::Error> {
    masters.wrap(&masters.unwrap(wrapped, key.as_ref())?, key.as_ref())
}

async fn is_there(store: &dyn ObjectStore, file: &Path) -> Result<bool> {
    match store.head(file).await {
        Ok(_) => Ok(true),
        Err(StoreError::NotFound { .. }) => Ok(false),
        Err(error) => Err(discreet(error)),
    }
}
