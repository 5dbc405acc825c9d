//! Whether a store creates only where nothing is. The writers of one recording rely on it, and an S3 server that does not know
//! `If-None-Match` ignores it without a word.

use bytes::Bytes;
use object_store::{Error, ObjectStore, PutMode, Result, path::Path};

/// Tries it on an object of its own, which stays. An error: the store did not answer.
pub async fn creates_only_once(store: &dyn ObjectStore) -> Result<bool> {
    let place = Path::from("recordings-once");
    let create = || store.put_opts(&place, Bytes::new().into(), PutMode::Create.into());
    // There, by this try or an earlier one.
    match create().await {
        Ok(_) | Err(Error::AlreadyExists { .. }) => {}
        Err(error) => return Err(error),
    }
    match create().await {
        Ok(_) => Ok(false),
        Err(Error::AlreadyExists { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}
